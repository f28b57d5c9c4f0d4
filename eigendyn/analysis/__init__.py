"""Analyse mode dynamics: fixed points, stability, bifurcations, passage times, collapse."""
