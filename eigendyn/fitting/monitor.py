"""Read a recorded training: its verdict, the loss that it implies, and what moves that loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.fitting.beside import beside
from eigendyn.fitting.implied import OTHERS, contributions, implied_loss
from eigendyn.fitting.second_moments import MEAN, moments, settings_of
from eigendyn.recording.kept import ORIGIN
from eigendyn.recording.record import as_record
from eigendyn.recording.verdict import Check, judge, verdicts
from eigendyn.settings.checks import NONNEGATIVE, check_real
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.keywords import takes

if TYPE_CHECKING:
    import xarray

    from eigendyn.theory.losses import SymbolicLoss

CHANGE = 0.1  # of the range of an implied loss, below which it has not changed
SMOOTH = 3  # recordings that are averaged before an extreme is looked for
OF_LOG = (
    "The implied one is of the samples of each recording under the predictor of its last batch, "
    "the measured one the mean since the recording before."
)
FEWEST = 2  # recordings between which something changes


@dataclass(frozen=True)
class Reading:
    """What a record says of a training.

    Args:
        record: The record.
        loss: Name of the loss that is taken of it; None where it is not known.
        check: The verdict at the last recording; None where there is none yet.
        verdicts: The verdict at every recording (times,), empty where there is none.
        implied: The loss that the spectrum implies (times,), NaN where it is not known.
        implied_error: Error of its quadrature.
        measured: The loss that was recorded (times,), NaN where none was.
        beside: How the two agree, in a sentence; or why there is no implied loss.
        since: Recording from which on the implied loss goes one way.
        contributions: What every mode adds to its change since then, `MEAN` and `OTHERS` too.
    """

    record: xarray.Dataset
    loss: str | None
    check: Check | None
    verdicts: tuple[str, ...]
    implied: NDArray
    implied_error: float
    measured: NDArray
    beside: str
    since: int
    contributions: Mapping[int, float]

    def to_xarray(self) -> xarray.Dataset:
        """The record with `implied_loss`, `verdict` over time and `contribution` over modes."""
        own = np.full(self.record.sizes["mode"], np.nan)
        for mode, value in self.contributions.items():
            if mode >= 0:
                own[mode] = value
        attrs: dict[str, Any] = {"beside": self.beside}
        if self.check is not None:
            attrs |= {
                "verdict": self.check.verdict,
                "verdict_words": self.check.words,
                "verdict_why": self.check.why,
                "verdict_since_step": self.check.since,
            }
        for name, mode in (("mean", MEAN), ("others", OTHERS)):
            if mode in self.contributions:
                attrs[f"contribution_of_{name}"] = self.contributions[mode]
        error = {"error": self.implied_error}
        told = {"long_name": "loss that the spectrum implies", "units": ""} | error
        whence = float(self.record["step"].values[self.since])
        change = "what the mode adds to the change of the implied loss"
        return self.record.assign(
            implied_loss=("time", self.implied, told),
            verdict=("time", np.array(self.verdicts), {"long_name": "verdict", "units": ""}),
            contribution=("mode", own, {"long_name": change, "units": "", "since_step": whence}),
        ).assign_attrs(attrs)


@takes()
def monitor(
    record: xarray.Dataset,
    loss: SymbolicLoss | str | None = None,
    *,
    alpha: float | None = None,
    seed: int = 0,
) -> Reading:
    """Say whether a training is all right, by the spectrum of its representation.

    The loss that a spectrum implies is of a Euclidean one E[ℓ] = ½ Σ [λ² c11 − 2λ c12 + c22],
    with what the predictor mixes from mode to mode and with the mean as a mode: of a log exactly
    that of the samples of each recording, all under the predictor of its last batch. Of a cosine
    one it is that of Gaussian modes. Of a plain table, which has no more than v, noises and λ, it
    is that of a predictor that commutes.

    Args:
        record: A record of your own training; a run of `simulate`, a training of `train`.
        loss: Name of the loss, or a loss of your own; None takes that of the record.
        alpha: Exponent of the predictor λ = c^α; None takes the eigenvalues that were recorded.
        seed: Which network of a training.

    Returns:
        The verdict, the implied loss beside the measured one, and what each mode adds to it.

    Raises:
        InvalidSetting: It is no record, or has fewer than two recordings.
        UnknownName: No loss has this name.

    Source: Halvagal et al. 2023 (arXiv 2212.04858), the modes and their losses; the quadrature of a
    cosine one, derivations/tilted_gaussian.py.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> reading = eigendyn.monitor(run)
        >>> reading.loss, reading.check.verdict
        ('euclidean', 'settled')
    """
    held = as_record(record, seed)
    count = held.sizes["time"]
    if count < FEWEST:
        message = (
            f"A record is read from {FEWEST} recordings on; this one has {count}. Train on, or "
            "record more often."
        )
        raise InvalidSetting(message)
    if alpha is not None:
        alpha = check_real("alpha", alpha, NONNEGATIVE)
    nothing = np.full(count, np.nan)
    measured = held["loss"].values if "loss" in held else nothing
    given = _loss_of(held) if loss is None else _chosen(held, loss)
    if given is not None and "loss" not in held.attrs:
        held = held.assign_attrs(loss=given.name)  # which says whether it sees the scale
    implied, error, parts, since = nothing, np.nan, {}, 0
    if given is None:
        said = "The record does not say which loss it is of, so that none is implied."
    else:
        try:
            of = moments(held, alpha)
        except InvalidSetting as refusal:
            if loss is not None or alpha is not None:
                raise
            said = f"No loss is implied: {refusal}"
        else:
            implied, error = implied_loss(given, of)
            said = beside(implied, measured, OF_LOG if held.attrs.get("origin") == ORIGIN else "")
            since = _turning(implied)
            parts = contributions(given, of, since, count - 1)
    return Reading(
        record=held,
        loss=getattr(given, "name", None),
        check=judge(held),
        verdicts=tuple(verdicts(held)),
        implied=implied,
        implied_error=error,
        measured=measured,
        beside=said,
        since=since,
        contributions=parts,
    )


def _loss_of(record: xarray.Dataset) -> SymbolicLoss | None:
    """The loss that a record names, with what its settings switch off; None if it is no known."""
    told = settings_of(record)
    name = str(told.get("loss", record.attrs.get("loss", ""))).partition(",")[0]
    return _chosen(record, name) if name in LOSS_NAMES else None


def _chosen(record: xarray.Dataset, loss: SymbolicLoss | str) -> SymbolicLoss:
    from eigendyn.theory.losses import as_loss, named_loss

    if not isinstance(loss, str):
        return as_loss(loss)
    told = settings_of(record)
    own = told.get("loss") == loss
    return named_loss(
        loss,
        beta=told.get("beta") if own else None,
        predictor=told.get("predictor") != "none",
        stop_gradient=told.get("stop_gradient", True) is not False,
    )


def _turning(implied: NDArray) -> int:
    """The recording from which on a curve goes one way: its last extreme before the end.

    It is that of means over `SMOOTH` recordings, as batches scatter.
    """
    known = np.flatnonzero(np.isfinite(implied))
    if not len(known):
        return 0
    count = min(SMOOTH, len(known))
    weights = np.convolve(np.ones(len(known)), np.ones(count), "same")
    smooth = np.convolve(implied[known], np.ones(count), "same") / weights
    extremes = np.array([np.argmin(smooth), np.argmax(smooth)])
    away = np.abs(smooth[extremes] - smooth[-1]) > CHANGE * np.ptp(smooth)
    before = known[extremes[away & (extremes < len(known) - 1)]]
    return int(before.max()) if len(before) else int(known[0])
