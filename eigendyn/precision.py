"""Importing this switches JAX to float64: whatever computes with JAX here imports it first."""

import jax

jax.config.update("jax_enable_x64", True)
