"""Derive closed mode dynamics from a loss."""
