"""Integrate stiff flows implicitly."""
