"""Read all trajectories of uncoupled modes off a few curves, shifted in time."""
