"""Explore the dynamics of a loss on a plane, on a page that any browser opens."""
