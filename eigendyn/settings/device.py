"""Find the JAX device of a given name, or say in one sentence why there is none."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from eigendyn.errors import DeviceUnavailable
from eigendyn.settings.choices import DEVICES, check_choice

if TYPE_CHECKING:
    import jax

PLUGINS = ("jax_plugins", "libtpu")  # where JAX finds devices that are no processors
VARIABLES = ("JAX_PLATFORMS", "JAX_PLATFORM_NAME", "PJRT_NAMES_AND_LIBRARY_PATHS")


def find_device(name: str = "auto") -> jax.Device:  # pyright: ignore[reportInvalidTypeForm]
    """Find a device to run on.

    Args:
        name: "auto" (JAX's own choice, a GPU if it has one), "cpu" or "cuda".

    Raises:
        UnknownName: There is no such kind of device.
        DeviceUnavailable: JAX has no backend for it.
    """
    import jax

    kind = check_choice("device", name, DEVICES)
    try:
        return jax.devices(None if kind == "auto" else kind)[0]
    except (RuntimeError, AssertionError) as error:
        message = f"No {kind.upper()} backend. Install jax[cuda13] or use `device='cpu'`."
        raise DeviceUnavailable(message) from error


def on_device(name: str) -> AbstractContextManager:
    """Let JAX work on that device while the context lasts."""
    import jax

    return jax.default_device(find_device(name))


def find_platform(name: str = "auto") -> str:
    """Find the kind of device to run on, without JAX where it could find nothing but a processor.

    Args:
        name: As in `find_device`.

    Returns:
        "cpu", "gpu", … as JAX calls it.

    Raises:
        UnknownName, DeviceUnavailable: As `find_device`.
    """
    kind = check_choice("device", name, DEVICES)
    if kind == "cpu" or (kind == "auto" and not _asks_jax()):
        return "cpu"
    return find_device(kind).platform


def _asks_jax() -> bool:
    """Whether JAX is there anyhow, is told what to take, or has a plugin for another device."""
    told = any(os.environ.get(name) for name in VARIABLES)
    return told or "jax" in sys.modules or _has_plugin()


@cache
def _has_plugin() -> bool:
    return any(find_spec(name) for name in PLUGINS)
