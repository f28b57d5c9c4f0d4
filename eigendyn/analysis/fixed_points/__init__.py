"""Find fixed points, and judge their stability."""
