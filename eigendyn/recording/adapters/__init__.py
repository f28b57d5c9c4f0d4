"""Attach a log to a training loop of PyTorch, Lightning or JAX, in one line."""
