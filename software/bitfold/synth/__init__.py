"""Synthesis, place and route, bitstreams: see flow.py for figures, bitstream.py for boards."""
