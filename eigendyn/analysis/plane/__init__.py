"""Describe the dynamics of two coordinates on their plane."""
