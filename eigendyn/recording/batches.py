"""Take batches of PyTorch, JAX, NumPy or others as float64, without importing any framework."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting, as_given
from eigendyn.recording.clock import number
from eigendyn.recording.record import LARGEST


def as_numbers(name: str, given: Any) -> NDArray:
    """A matrix of float64, whatever held it: any device and precision, with a gradient or without.

    Args:
        name: The argument's.
        given: An array of NumPy or JAX, a tensor of PyTorch, or what NumPy can convert.

    Raises:
        InvalidSetting: It is no matrix of real numbers, or one inside of `jax.jit`.
    """
    try:
        if hasattr(given, "detach"):  # of PyTorch, whose bfloat16 NumPy does not have
            given = given.detach().cpu().double().numpy()
        elif hasattr(given, "__dlpack__") and not hasattr(given, "__array__"):
            given = np.from_dlpack(given)
        array = np.asarray(given)
        if array.dtype.kind in "cOSU":
            raise TypeError(str(array.dtype))
        matrix = array.astype(np.float64)
    except Exception as error:  # whatever a framework raises
        traced = "Tracer" in type(error).__name__
        hint = (
            "Inside of jax.jit call eigendyn.recording.observe_in_jax."
            if traced
            else "Convert it with numpy.asarray."
        )
        message = f"`{name}` must be a matrix of real numbers, not {as_given(given)}. {hint}"
        raise InvalidSetting(message) from error
    if matrix.ndim != 2 or 0 in matrix.shape:
        message = (
            f"`{name}` must be a matrix; its shape is {matrix.shape}. "
            "Flatten what is not its first axis."
        )
        raise InvalidSetting(message)
    return matrix


def as_loss(given: Any) -> Any:
    """A loss that is one number, left on its device, so that training need not wait for it.

    Raises:
        InvalidSetting: It is none.
    """
    kept = given.detach() if hasattr(given, "detach") else given
    shape = tuple(getattr(kept, "shape", ()))
    if prod(shape) != 1:
        message = f"`loss` must be one number; its shape is {shape}. Give its mean."
        raise InvalidSetting(message)
    if not hasattr(kept, "reshape"):
        return number("loss", kept)
    return kept.reshape(())


def as_pair(z1: Any, z2: Any, step: float, tensor: str) -> tuple[NDArray, NDArray]:
    """Both views (samples, dimensions), of one shape and finite.

    Args:
        z1: The first view.
        z2: The second view.
        step: Training step, for messages.
        tensor: What is read, for messages.

    Raises:
        InvalidSetting: They are not.
    """
    first, second = as_numbers("z1", z1), as_numbers("z2", z2)
    if first.shape != second.shape:
        message = (
            f"Both views must have one shape, samples × dimensions; `z1` has {first.shape} and "
            f"`z2` {second.shape}. Give two views of the same samples."
        )
        raise InvalidSetting(message)
    for name, view, given in (("z1", first, z1), ("z2", second, z2)):
        with np.errstate(all="ignore"):
            squares = np.vdot(view, view)
        if not squares < LARGEST:
            count = int((~np.isfinite(view)).sum())
            which = f"{count} of the {view.size} numbers" if count else "the sum of squares"
            message = (
                f"`{name}` must be finite; at step {step:g} {which} of {tensor!r} "
                f"{'are not' if count else f'is beyond {LARGEST:g}'}. {_advice(given)} "
                "What was recorded before is kept."
            )
            raise InvalidSetting(message)
    return first, second


def _advice(given: Any) -> str:
    if "float16" in str(getattr(given, "dtype", "")).replace("bfloat16", ""):
        return "float16 ends at 65504: use bfloat16 or float32."
    return "Training has diverged: try a smaller learning rate."
