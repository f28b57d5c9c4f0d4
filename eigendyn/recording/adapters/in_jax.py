"""Log batches from inside of functions that JAX compiles."""

from __future__ import annotations

from typing import Any

from eigendyn.recording.log import SpectrumLog


def observe_in_jax(log: SpectrumLog, z1: Any, z2: Any, **told: Any) -> None:
    """Look at a batch inside of `jax.jit` or `jax.lax.scan`; outside of them it does the same.

    Both views are copied to the host at every call, in order. What is refused there ends the
    program as an error of JAX. `jax.effects_barrier()` waits until all is logged.

    Args:
        log: Where to.
        z1: Representations of the first view (samples, dimensions).
        z2: Those of the second view.
        told: `predictor`, `step`, `learning_rate` and `loss`, as in `SpectrumLog.observe`.

    Examples:
        >>> import jax
        >>> log = eigendyn.SpectrumLog("in_jax.nc", every=1, samples=64)
        >>> for key in jax.random.split(jax.random.key(0), 3):
        ...     z, noise = jax.random.normal(key, (2, 64, 3))
        ...     eigendyn.recording.observe_in_jax(log, z, z + noise / 10)
        >>> jax.effects_barrier()
        >>> log.recordings
        3
    """
    import jax

    given = {name: value for name, value in told.items() if value is not None}

    def look(z1: Any, z2: Any, given: dict[str, Any]) -> None:
        log.observe(z1, z2, **given)

    jax.debug.callback(look, z1, z2, given, ordered=True)
