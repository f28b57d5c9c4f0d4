"""Set an implied loss beside a measured one, and say how they differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 4  # recordings of both, from which on a scale can be told
ROUND_OFF = 1e-9
NEAR = 0.1  # of the measured loss's range, or …
CLOSE = 0.02  # … of its size, within which both are the same
ALIKE = 0.25  # difference of a scale from one, or of an offset from zero, that are none
EXPLAINED = 0.9  # of the variance of the measured loss, that another scale of it must explain


def beside(implied: NDArray, measured: NDArray, whence: str = "") -> str:
    """Say how two losses agree, in a sentence.

    The measured one may be another scale of the same loss: 2 − 2 cos where −cos is implied, or a
    mean over dimensions where a sum is.

    Args:
        implied: The implied one (times,).
        measured: The measured one (times,).
        whence: Of what each is, a sentence to be said where they are not the same.
    """
    said, is_same = _said(implied, measured)
    return said if is_same or not whence else f"{said} {whence}"


def _said(implied: NDArray, measured: NDArray) -> tuple[str, bool]:
    """The sentence, and whether nothing is left to be explained."""
    both = np.isfinite(implied) & np.isfinite(measured)
    x, y = implied[both], measured[both]
    if not both.any():
        lacks = "implied" if np.isfinite(measured).any() else "measured"
        return f"There is no {lacks} loss to compare with.", True
    difference = float(np.sqrt(np.mean((y - x) ** 2)))
    if difference <= ROUND_OFF * np.abs(y).max():
        return "Both are the same.", True
    if difference <= max(NEAR * np.ptp(y), CLOSE * np.abs(y).max()):
        return f"Both are the same within {difference:.2g}.", False
    if both.sum() >= FEWEST and np.ptp(x) > 0 and np.ptp(y) > 0:
        slope, offset = np.polyfit(x, y, 1)
        left = y - slope * x - offset
        if slope > 0 and np.var(left) <= (1 - EXPLAINED) * np.var(y):
            within = np.sqrt(np.mean(left**2))
            if abs(slope - 1) <= ALIKE and abs(offset) <= ALIKE * np.abs(y).max():
                said = f"Both go up and down alike, {difference:.2g} apart (root mean square)."
                return said, False
            return (
                f"The measured loss is {offset:.3g} + {slope:.3g} × the implied one within "
                f"{within:.2g}: the same loss in other units."
            ), False
    return (
        f"They differ by {difference:.2g} (root mean square): the measured loss is another one, or "
        "of other batches, or the representation is not Gaussian or not in the predictor's "
        "eigenbasis."
    ), False
