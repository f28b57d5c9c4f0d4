r"""Take the second moments of every mode, and of what is predicted, out of a record.

Rows of v, noises and λ alone are less than a Euclidean loss needs: a predictor that mixes modes,
as that of one batch does, predicts with more variance than λ² c11, and one that is not symmetric
shares other than λ c12 with the target; c11 and c12 stand for what a prediction p has, over λ² and
over λ. Moments of a log are centred and unbiased, and its means those of N samples: all count
(N − 1)/N, and the means as a mode, so that the loss is that of exactly these samples under the
recorded predictor. A mean enters as `PARTS` equal modes that share its square: in a loss that is
made of sums over modes very many such do what it does, which is no Gaussian.

Source: Halvagal et al. 2023 (arXiv 2212.04858), modes in the predictor's eigenbasis.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting

if TYPE_CHECKING:
    import xarray

PARTS = 64  # equal modes in the place of a mean; what they add to a cosine errs by a share of 1/64
MEAN = -1  # what stands in the place of a mode's number
WEAKEST = 1e-3  # of what a prediction has in all, as which a smaller |λ| counts
OF_MEAN = ("mean_first", "mean_second", "mean_shared")
OF_PREDICTED = ("mean_predicted", "mean_predicted_shared")


@dataclass(frozen=True)
class Moments:
    """Second moments of every mode at every recording, in the predictor's eigenbasis.

    Args:
        first: c11 = E[z1²], or E[p²]/λ² of a prediction p that is mixed (modes, times).
        second: c22 = E[z2²] (modes, times).
        shared: c12 = E[z1 z2], or E[p z2]/λ (modes, times).
        predictor: λ (modes, times).
        mode: Which mode of the record each row is (modes,), `MEAN` of the parts of the mean.
    """

    first: NDArray
    second: NDArray
    shared: NDArray
    predictor: NDArray
    mode: NDArray

    def at(self, times: Any) -> Moments:
        """The same at some recordings."""
        every = {name: getattr(self, name)[:, times] for name in FIELDS}
        return replace(self, **every)


FIELDS = ("first", "second", "shared", "predictor")


def moments(record: xarray.Dataset, alpha: float | None = None) -> Moments:
    """Take the moments of every mode out of a record.

    Noises that are not recorded are those of its settings, σ² v; without these there are none. A
    mode of a target is taken to lie along the network's own, c12 = √(v v_target).

    Args:
        record: A record.
        alpha: Exponent of the predictor λ = c^α, c the variance of the mode; None takes the
            eigenvalues that were recorded, or λ = 1 where the settings have no predictor.

    Raises:
        InvalidSetting: There are no eigenvalues and no exponent.
    """
    told = settings_of(record)
    v = record["variance"].values
    target = record["target_variance"].values if "target_variance" in record else v
    a1, a2 = (
        record[f"noise{view}"].values
        if f"noise{view}" in record
        else own * float(told.get(f"sigma{view}") or 0.0) ** 2
        for view, own in (("1", v), ("2", target))
    )
    c11, c22 = v + a1, target + a2
    c12 = v if target is v else np.sqrt(np.maximum(v * target, 0.0))
    mode = np.arange(len(v))
    predictor = _predictor(record, c12, alpha, "predictor_eigenvalue")
    if alpha is None and "mixed_variance" in record:
        square = np.maximum(predictor**2 * c11 + record["mixed_variance"].values, 0.0)
        product = predictor * c12
        if "mixed_shared" in record:
            product = product + np.nan_to_num(record["mixed_shared"].values)
        c11, c12, predictor = _as_predicted(c11, c12, predictor, square, product)
    if set(OF_MEAN) <= set(record.variables):
        first, second, shared = (record[name].values[None] for name in OF_MEAN)
        along = _predictor(record, shared, alpha, "mean_predictor")
        if alpha is None and set(OF_PREDICTED) <= set(record.variables):
            square, product = (record[name].values[None] for name in OF_PREDICTED)
            first, shared, along = _as_predicted(first, shared, along, square, product)
        if "samples" in record:
            left = 1 - 1 / record["samples"].values
            c11, c22, c12 = left * c11, left * c22, left * c12
        own = (c11, c22, c12, predictor)
        ones = np.ones((PARTS, 1))
        means = (ones * first / PARTS, ones * second / PARTS, ones * shared / PARTS, ones * along)
        c11, c22, c12, predictor = (np.concatenate(pair) for pair in zip(own, means, strict=True))
        mode = np.concatenate([mode, np.full(PARTS, MEAN)])
    return Moments(c11, c22, c12, predictor, mode)


def settings_of(record: xarray.Dataset) -> dict[str, Any]:
    """The settings of what was recorded, where it tells them."""
    return json.loads(record.attrs.get("settings", "{}"))


def _predictor(record: xarray.Dataset, shared: NDArray, alpha: float | None, name: str) -> NDArray:
    if alpha is not None:
        return np.maximum(shared, 0.0) ** alpha
    if name in record:
        return np.broadcast_to(record[name].values, shared.shape)
    if settings_of(record).get("predictor") == "none":
        return np.ones_like(shared)
    message = (
        f"The loss needs the predictor along every mode, and this record has no {name}. Give "
        "`alpha`, the exponent of a predictor λ = c^α, or 0 where there is no predictor."
    )
    raise InvalidSetting(message)


def _as_predicted(
    first: NDArray, shared: NDArray, predictor: NDArray, square: NDArray, product: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """c11, c12 and λ of the same prediction p: λ² c11 = E[p²], λ c12 = E[p z2].

    λ is at least `WEAKEST` of √(E[p²]/E[z1²]), where most of p is mixed in. All are (modes, times).
    """
    gain = np.sqrt(np.divide(square, first, out=np.zeros_like(square), where=first > 0))
    weakest = np.copysign(np.maximum(np.abs(predictor), WEAKEST * gain), predictor)
    predicts = (gain > 0) & (weakest**2 > 0)
    own = np.where(predicts, weakest, 1.0)
    return (
        np.where(predicts, square / own**2, first),
        np.where(predicts, product / own, shared),
        np.where(predicts, weakest, 0.0),
    )
