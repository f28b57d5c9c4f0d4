"""Measure the signal and noise of every component, from inputs and augmentations or from views."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.data import asked
from eigendyn.data.augmentations import Step, expectation
from eigendyn.data.expected import Shape
from eigendyn.data.inputs import Inputs, as_inputs, scaled
from eigendyn.data.moments import GROUPS, Moments, Sums, aligned, sampling_errors
from eigendyn.data.remarks import remarks
from eigendyn.data.trust import end_gap
from eigendyn.errors import InvalidSpectrum
from eigendyn.results.provenance import provenance
from eigendyn.settings.choices import AUGMENT
from eigendyn.settings.keywords import takes
from eigendyn.settings.matrices import Matrix

if TYPE_CHECKING:
    import xarray

PAIRS, EACH, SAMPLES = ("input", "other_input"), ("component",), ("sample", "input")
VARIABLES = {  # name → axes, what it is, its unit
    "covariance_12": (PAIRS, "second moment of both views, Σ₁₂ = E[x₁x₂ᵀ], symmetrised", "input²"),
    "covariance_11": (PAIRS, "second moment of the first view, Σ₁₁", "input²"),
    "covariance_22": (PAIRS, "second moment of the second view, Σ₂₂", "input²"),
    "mean": (("input",), "mean of the inputs, subtracted from all", "input"),
    "components": (
        ("component", "input"),
        "eigenvector of Σ₁₂, of length 1, its largest entry positive",
        "1",
    ),
    "signal": (EACH, "signal of the component, eigenvalue d of Σ₁₂", "input²"),
    "noise1": (EACH, "noise of the component in the first view, a1 = qᵀΣ₁₁q − d", "input²"),
    "noise2": (EACH, "noise of the component in the second view, a2 = qᵀΣ₂₂q − d", "input²"),
    "off_diagonal": ((), "share of the noise covariances’ Frobenius norm off the diagonal", "1"),
    "commutator": ((), "‖[Σ₁₂, Σ]‖ / (‖Σ₁₂‖ ‖Σ‖), Frobenius, over Σ₁₁ and Σ₂₂", "1"),
    "end_gap": (EACH, "share by which the k-th largest aligned mode ends too low", "1"),
    "inputs": (SAMPLES, "inputs, scaled, less their mean", "input"),
    "view1": (SAMPLES, "first views, scaled, less the mean of both", "input"),
    "view2": (SAMPLES, "second views, scaled, less the mean of both", "input"),
}


@takes()
def from_inputs(
    x: ArrayLike | Matrix,
    augment: str = AUGMENT,
    *,
    augment2: str | None = None,
    shape: tuple[int, int] | None = None,
) -> xarray.Dataset:
    """Measure signal and noise of the components of inputs under augmentations.

    A component q is an eigenvector of Σ₁₂ = E[x1 x2ᵀ]: its signal is d = qᵀ Σ₁₂ q, its noises are
    a1 = qᵀ Σ₁₁ q − d and a2 = qᵀ Σ₂₂ q − d. Of views x_i = T_i x + n_i of inputs with covariance Σ

        Σ₁₂ = E[T1] Σ E[T2]ᵀ,  Σ_ii = E[T_i Σ T_iᵀ] + E[n_i n_iᵀ]

    The mean of the inputs is subtracted first, and augmentations act on the rest, so that what an
    image moves away from, or what is masked, is filled with the mean image. Moments are about that
    mean. Both views are augmented independently; expectations over augmentations are taken exactly,
    or by quadrature where the result says so, never by drawing.

    Args:
        x: Inputs, samples × dimensions or samples × height × width. Images of whole numbers, 0 to
            16, 255 or 65535, are divided by that.
        augment: Augmentations in the order in which they are made, NAME:NUMBER each: shift:pixels,
            flip, rotate:degrees, crop:smallest share, brightness:change, contrast:relative change,
            noise:standard deviation, mask:probability.
        augment2: Those of the second view; None takes the same.
        shape: Height and width, of images that are given as vectors.

    Returns:
        Dataset over component (largest signal first), input and sample: `signal`, `noise1`,
        `noise2`, `off_diagonal` and `commutator`, each with its sampling error, `signal_error` and
        so on; `end_gap`, how far aligned modes can be trusted; `components`, `mean`, the three
        covariances, and `inputs`, less their mean, in single precision. Attributes say what was
        done, `remarks` what to know of it.

    Raises:
        InvalidSpectrum: No array of inputs, not finite, or nothing varies.
        UnknownName: There is no such augmentation.
        InvalidSetting: An augmentation with another number than it takes, or of images where inputs
            are vectors.

    Source: components as modes, derivations/components.py; errors by a jackknife, Efron and Stein
    1981, over groups, Quenouille 1956.

    Examples:
        >>> x = np.random.default_rng(0).normal(size=(500, 3)) * [2.0, 1.0, 0.5]
        >>> data = eigendyn.data.from_inputs(x, "noise:0.5")
        >>> data.signal.values.round(2).tolist()
        [3.84, 0.91, 0.26]
        >>> data.noise1.values.round(2).tolist()
        [0.25, 0.25, 0.25]
    """
    first = asked.read_augmentations(augment, "augment")
    second = first if augment2 is None else asked.read_augmentations(augment2, "augment2")
    (inputs,) = scaled(as_inputs(x, "Inputs", shape))
    asked.check_fit((*first, *second), inputs.shape)
    mean = inputs.values.mean(axis=0)
    seen = _through(first, second, inputs.shape)
    return _labelled(
        (inputs,),
        mean,
        {"inputs": inputs.values - mean},
        seen,
        {
            "title": "signal and noise of inputs under augmentations",
            "about": "the mean of the inputs, subtracted before they are augmented",
            "augment": asked.written(first),
            "augment2": asked.written(second),
            "augmentations": " | ".join(map(asked.described, dict.fromkeys((first, second)))),
            "expectation": asked.taken((*first, *second)),
        },
    )


@takes()
def from_views(
    x1: ArrayLike | Matrix, x2: ArrayLike | Matrix, *, shape: tuple[int, int] | None = None
) -> xarray.Dataset:
    """Measure signal and noise of the components of pairs of views.

    Signals d are eigenvalues of Σ₁₂ = ⟨x1 x2ᵀ⟩, symmetrised; along an eigenvector q noises are
    a1 = qᵀ Σ₁₁ q − d and a2 = qᵀ Σ₂₂ q − d.

    Args:
        x1: First view of every sample, samples × dimensions or samples × height × width. Images of
            whole numbers are scaled as by `from_inputs`.
        x2: Second view of the same samples, in the same order.
        shape: Height and width, of images that are given as vectors.

    Returns:
        Dataset as of `from_inputs`, with `view1` and `view2` less the mean of both.

    Raises:
        InvalidSpectrum: No arrays of views, of unequal shape, not finite, or nothing varies.
        InvalidSetting: `shape` has another number of pixels.

    Source: as `from_inputs`.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(2000, 2)) * [2.0, 1.0]
        >>> x1, x2 = x + rng.normal(size=(2, 2000, 2)) * [1.0, 0.5]
        >>> data = eigendyn.data.from_views(x1, x2)
        >>> data.noise1.values.round(1).tolist(), data.noise2.values.round(1).tolist()
        ([1.0, 0.3], [1.0, 0.2])
    """
    first, second = as_inputs(x1, "First views", shape), as_inputs(x2, "Second views", shape)
    check_pairs(first, second)
    first, second = scaled(first, second)
    mean = (first.values.mean(axis=0) + second.values.mean(axis=0)) / 2
    return _labelled(
        (first, second),
        mean,
        {"view1": first.values - mean, "view2": second.values - mean},
        lambda moments: moments,
        {
            "title": "signal and noise of pairs of views",
            "about": "the mean of both views",
            "expectation": "over the pairs given",
        },
    )


@takes()
def digits(augment: str = AUGMENT, *, augment2: str | None = None) -> xarray.Dataset:
    """Measure signal and noise of scikit-learn's 1,797 handwritten digits, 8 × 8 pixels of 0…1.

    Args:
        augment: As of `from_inputs`.
        augment2: Likewise.

    Returns:
        Dataset as of `from_inputs`.

    Raises:
        UnknownName: As `from_inputs`.
        InvalidSetting: As `from_inputs`.

    Source: scikit-learn's load_digits; Alpaydin & Kaynak 1998.

    Examples:
        >>> data = eigendyn.data.digits("noise:0.05")
        >>> data.signal.values[:3].round(3).tolist()
        [0.699, 0.639, 0.554]
    """
    from sklearn.datasets import load_digits

    found = from_inputs(load_digits().images, augment, augment2=augment2)
    return found.assign_attrs(title="signal and noise of handwritten digits under augmentations")


def check_pairs(first: Inputs, second: Inputs) -> None:
    """Check that views are pairs.

    Raises:
        InvalidSpectrum: They have different numbers of samples, or different dimensions.
    """
    shapes = [(len(one.values), *one.shape) for one in (first, second)]
    if shapes[0] != shapes[1]:
        left, right = (" × ".join(map(str, shape)) for shape in shapes)
        message = (
            "Views must be pairs, as many samples of as many dimensions in both; the first are "
            f"{left}, the second {right}. Keep the samples that are in both, in the same order."
        )
        raise InvalidSpectrum(message)


def _through(
    first: tuple[Step, ...], second: tuple[Step, ...], shape: Shape
) -> Callable[[Moments], Moments]:
    """What augmentations make of the moments of inputs, Σ: E[T₁] Σ E[T₂]ᵀ, and so on."""
    one = expectation(first, shape)
    other = one if second == first else expectation(second, shape)

    def seen(moments: Moments) -> Moments:
        inputs = moments.covariance_12
        both = one.mean(other.mean(inputs).T)
        covariance = one.second(inputs)
        return Moments(
            (both + both.T) / 2,
            covariance,
            covariance if other is one else other.second(inputs),
        )

    return seen


def _labelled(
    given: tuple[Inputs, ...],
    mean: NDArray,
    samples: dict[str, NDArray],
    seen: Callable[[Moments], Moments],
    attrs: dict[str, str],
) -> xarray.Dataset:
    """Measure centred samples, of one view or of two, and label what is found."""
    import xarray

    first, second = next(iter(samples.values())), list(samples.values())[-1]
    moments = seen(Sums.over(first, second).moments())
    found = aligned(moments)
    errors = sampling_errors(first, second, lambda left: aligned(seen(left)))
    values = {**vars(moments), "mean": mean, **vars(found)}
    values["end_gap"] = end_gap(moments.covariance_12, moments.covariance_11, found.components)
    values |= {name: one.astype(np.float32) for name, one in samples.items()}
    variables: dict[str, Any] = {}
    for name, value in values.items():
        axes, label, unit = VARIABLES[name]
        variables[name] = (axes, value, {"long_name": label, "units": unit})
    for name, value in errors.items():
        axes, _, unit = VARIABLES[name]
        label = {"long_name": f"standard error of {name}", "units": unit}
        variables[f"{name}_error"] = (axes, value, label)
    shape, divisor = given[0].shape, given[0].divisor
    return xarray.Dataset(
        variables,
        coords={
            "component": np.arange(len(found.signal)),
            "input": np.arange(len(mean)),
            "other_input": np.arange(len(mean)),
        },
        attrs={
            **attrs,
            "samples": len(first),
            **({"image_shape": np.array(shape)} if len(shape) == 2 else {}),
            "divisor": divisor,
            "errors": f"standard, by a jackknife over {min(GROUPS, len(first))} random groups of "
            "samples",
            "remarks": "\n".join(remarks(given, found, errors)),
            **provenance("cpu", "float64"),
        },
    )
