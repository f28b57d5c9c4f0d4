"""Results enter, matplotlib Axes leave."""
