"""Take second moments of two views, and the picture of aligned modes with its sampling errors.

In the eigenbasis Q of Σ₁₂ = Q diag(d) Qᵀ every component has the signal d and the noises
a1 = (Qᵀ Σ₁₁ Q) − d and a2 = (Qᵀ Σ₂₂ Q) − d, on the diagonal. The picture is exact if nothing is
left off the diagonal, that is if Σ₁₂ commutes with Σ₁₁ and Σ₂₂.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

GROUPS = 20  # of samples, for sampling errors


@dataclass(frozen=True)
class Moments:
    """Second moments of two views (inputs, inputs), each.

    Args:
        covariance_12: Σ₁₂, symmetrised.
        covariance_11: Σ₁₁.
        covariance_22: Σ₂₂.
    """

    covariance_12: NDArray
    covariance_11: NDArray
    covariance_22: NDArray


@dataclass(frozen=True)
class Sums:
    """Sums over pairs of samples, from which those over other pairs can be taken away.

    Args:
        count: Number of pairs.
        first: Σ x1 (inputs,); likewise of the second.
        second: See there.
        products_12: Σ x1 x2ᵀ (inputs, inputs), and so on.
        products_11: See there.
        products_22: See there.
    """

    count: int
    first: NDArray
    second: NDArray
    products_12: NDArray
    products_11: NDArray
    products_22: NDArray

    @classmethod
    def over(cls, first: NDArray, second: NDArray) -> Sums:
        """Sum over samples (samples, inputs) of both views, which may be the same array."""
        own = first.T @ first
        same = second is first
        return cls(
            len(first),
            first.sum(axis=0),
            second.sum(axis=0),
            own if same else first.T @ second,
            own,
            own if same else second.T @ second,
        )

    def without(self, other: Sums) -> Sums:
        """The sums over all but some pairs."""
        rest, taken = vars(self), vars(other)
        return Sums(**{name: rest[name] - taken[name] for name in rest})

    def moments(self) -> Moments:
        """Second moments about the mean of both views together."""
        first, second = self.first / self.count, self.second / self.count
        mean = (first + second) / 2

        def about(products: NDArray, left: NDArray, right: NDArray) -> NDArray:
            beside = np.outer(left, mean) + np.outer(mean, right) - np.outer(mean, mean)
            found = products / self.count - beside
            return (found + found.T) / 2

        return Moments(
            about(self.products_12, first, second),
            about(self.products_11, first, first),
            about(self.products_22, second, second),
        )


@dataclass(frozen=True)
class Aligned:
    """The picture of aligned modes.

    Args:
        components: Qᵀ (components, inputs), unit vectors, largest signal first.
        signal: d (components,).
        noise1: a1 (components,); likewise of the second view.
        noise2: See there.
        off_diagonal: Share of the noise covariances' Frobenius norm that lies off the diagonal.
        commutator: ‖[Σ₁₂, Σ]‖ / (‖Σ₁₂‖ ‖Σ‖) in Frobenius norms, over Σ₁₁ and Σ₂₂.
    """

    components: NDArray
    signal: NDArray
    noise1: NDArray
    noise2: NDArray
    off_diagonal: float
    commutator: float


def aligned(moments: Moments) -> Aligned:
    """Look at moments in the eigenbasis of Σ₁₂; the largest entry of a component is positive.

    Signal that may be nothing but rounding, ε · inputs · ‖Σ₁₂‖, is set to zero. Among directions
    without signal, where any basis will do, noise chooses: the largest first.
    """
    signal, basis = np.linalg.eigh(moments.covariance_12)
    signal, basis = signal[::-1], basis[:, ::-1]
    floor = np.finfo(float).eps * len(signal) * np.abs(signal).max()
    signal = np.where(np.abs(signal) <= floor, 0.0, signal)
    without = signal == 0
    noise_there = basis[:, without].T @ (moments.covariance_11 + moments.covariance_22)
    basis[:, without] @= np.linalg.eigh(noise_there @ basis[:, without])[1][:, ::-1]
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.sign(basis[largest, np.arange(len(signal))])
    views = [moments.covariance_11, moments.covariance_22]
    if views[0] is views[1]:  # half of the work
        views.pop()
    noises = [basis.T @ view @ basis - np.diag(signal) for view in views]
    diagonals = [np.diag(noise) for noise in noises]
    products = [moments.covariance_12 @ view for view in views]
    sizes = [np.linalg.norm(moments.covariance_12) * np.linalg.norm(view) for view in views]
    return Aligned(
        basis.T,
        signal,
        diagonals[0],
        diagonals[-1],
        off_diagonal=_share(
            [noise - np.diag(diagonal) for noise, diagonal in zip(noises, diagonals, strict=True)],
            noises,
        ),
        commutator=_share([product - product.T for product in products], sizes),
    )


def _share(part: list, whole: list) -> float:
    """Root of the ratio of sums of squares; 0 where the whole is nothing."""
    above, below = (sum(float(np.sum(np.square(one))) for one in many) for many in (part, whole))
    return (above / below) ** 0.5 if below else 0.0


def sampling_errors(
    first: NDArray, second: NDArray, picture: Callable[[Moments], Aligned]
) -> dict[str, NDArray]:
    """Standard errors of everything in the picture but the components, by a jackknife.

    Samples are dealt at random into groups, and each group is left out in turn: of G groups,
    error² = (G − 1)/G · Σ (value − mean)². Components keep their rank by signal.

    Args:
        first: Samples of the first view (samples, inputs).
        second: Of the second, or the same array.
        picture: Makes the picture from moments of samples.

    Source: Efron & Stein 1981; groups: Quenouille 1956.
    """
    left_out = [asdict(picture(moments)) for moments in _without_each_group(first, second)]
    groups = len(left_out)
    names = [name for name in left_out[0] if name != "components"]
    values = {name: np.array([one[name] for one in left_out]) for name in names}
    return {name: np.sqrt((groups - 1) * one.var(axis=0)) for name, one in values.items()}


def _without_each_group(first: NDArray, second: NDArray) -> Iterator[Moments]:
    samples = len(first)
    dealt = np.random.default_rng(0).permutation(samples) % min(GROUPS, samples)
    every = Sums.over(first, second)
    for group in range(dealt.max() + 1):
        part = first[dealt == group]
        other = part if second is first else second[dealt == group]
        yield every.without(Sums.over(part, other)).moments()
