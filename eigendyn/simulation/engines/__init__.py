"""Integrate closed mode dynamics: one engine, or one part of one, per module."""
