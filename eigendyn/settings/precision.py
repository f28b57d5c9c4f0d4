"""Switch JAX to float64 on import: whatever computes with JAX here imports this first."""

import jax

jax.config.update("jax_enable_x64", True)
