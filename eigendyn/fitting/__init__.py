"""Fit the mode theory to a recorded spectrum, foretell the rest, and read the loss from it."""
