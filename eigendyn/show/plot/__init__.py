"""Draw results on matplotlib Axes."""
