"""Integrate ensembles in machine code, one trajectory in each lane of a register."""
