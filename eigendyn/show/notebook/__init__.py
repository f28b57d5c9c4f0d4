"""Explore dynamics by hand in Jupyter."""
