"""What a vector field says without being integrated: stability."""
