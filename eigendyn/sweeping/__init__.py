"""Sweep parameters of the theory over a grid or a design, chunk by chunk, into one store."""
