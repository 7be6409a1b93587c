"""AMD's tools: the flows that need them, written out here and run where they are installed."""
