"""Follow branches of fixed points, and find where they bifurcate."""
