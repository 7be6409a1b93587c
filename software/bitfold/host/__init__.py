"""Talk to a board that carries an accelerator: protocol.py the bytes, link.py the serial port."""
