"""Follow vector fields in JAX: flows, and expected steps."""
