"""Follow mode dynamics from a start to labelled trajectories, one start or many."""
