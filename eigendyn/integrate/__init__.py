"""Engines: from closed mode dynamics to trajectories."""
