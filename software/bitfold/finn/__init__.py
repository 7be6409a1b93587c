"""The FINN back end: files that FINN takes, its estimates, its builds; FINN runs elsewhere."""
