"""Follow an ensemble in one kernel of a GPU, written in Pallas; experimental."""
