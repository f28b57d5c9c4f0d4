"""Cross-check the theory with networks, and judge what that shows."""
