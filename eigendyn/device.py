"""The name of a device enters; the JAX device leaves, or one sentence on why there is none."""

from __future__ import annotations

import jax

from eigendyn.choices import DEVICES, check_choice
from eigendyn.errors import DeviceUnavailable


def find_device(name: str = "auto") -> jax.Device:  # pyright: ignore[reportInvalidTypeForm]
    """Find a device to run on.

    Args:
        name: "auto" (JAX's own choice, a GPU if it has one), "cpu" or "cuda".

    Raises:
        UnknownName: There is no such kind of device.
        DeviceUnavailable: JAX has no backend for it.
    """
    kind = check_choice("device", name, DEVICES)
    try:
        return jax.devices(None if kind == "auto" else kind)[0]
    except (RuntimeError, AssertionError) as error:
        message = f"No {kind.upper()} backend. Install jax[cuda13] or use --device cpu."
        raise DeviceUnavailable(message) from error
