"""bitfold: learn the bits of every layer, compile to a bit-serial accelerator, prove it."""

__version__ = "0.1.0"
