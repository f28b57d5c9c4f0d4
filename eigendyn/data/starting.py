"""Take the modes of an encoder along the components of measured data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.results.labelled import check_data
from eigendyn.settings.checks import POSITIVE, check_real, check_whole
from eigendyn.settings.keywords import takes
from eigendyn.settings.spectrum import check_weights

if TYPE_CHECKING:
    import xarray

    from eigendyn.settings.matrices import Matrix

MODES = 10  # leading components of which there are modes
SCALE = 0.3  # singular value that modes start with
ERRORS = 3.0  # standard errors within which a negative noise is none


@takes()
def start(
    data: xarray.Dataset,
    modes: int | None = None,
    *,
    scale: float = SCALE,
    weights: ArrayLike | Matrix | None = None,
) -> dict[str, Any]:
    r"""Start of an encoder along the leading components of data, with their signal and noise.

    Every verb that takes variances takes it, as in eigendyn.simulate("cosine", \*\*start(data)).
    Mode m is the component with the m-th largest signal d_m, its first clean variance s² d_m.

    Args:
        data: A result of `from_inputs`, `from_views` or `digits`.
        modes: Number of modes; None takes ten, or as many as there are components with signal, and
            with weights as many as these have rows.
        scale: Singular value s that every mode starts with.
        weights: Encoder W (modes, inputs) in the place of a scale: s_m = ‖W q_m‖ along component
            q_m, as if what it makes of different components did not mix.

    Returns:
        "variances" (modes,), "signal", "noise1" and "noise2", tuples.

    Raises:
        InvalidSetting: No such data; more modes than there are components with signal; a component
            among them whose noise is negative.
        InvalidSpectrum: Weights for other inputs than those of the data.

    Source: modes along components of data, derivations/components.py.

    Examples:
        >>> x = np.random.default_rng(0).normal(size=(500, 3)) * [2.0, 1.0, 0.5]
        >>> start = eigendyn.data.start(eigendyn.data.from_inputs(x, "noise:0.5"), 2)
        >>> sorted(start)
        ['noise1', 'noise2', 'signal', 'variances']
        >>> eigendyn.simulate("euclidean", **start).outcome.values.tolist()
        ['recruited', 'recruited']
    """
    check_data(data)
    signal = data["signal"].values
    usable = int((signal > 0).sum())
    inputs = None if weights is None else _check_inputs(weights, data.sizes["input"])
    usual = MODES if inputs is None else len(inputs)
    count = min(usual, usable) if modes is None else check_whole("modes", modes, 1)
    if count > usable:
        message = (
            f"`modes` must be at most {usable}, as many components of the data as have signal, not "
            f"{count}. Try `modes={usable}`."
        )
        raise InvalidSetting(message)
    own = {"signal": tuple(signal[:count].tolist())}
    own |= {name: _noise(data, name, count) for name in ("noise1", "noise2")}
    if inputs is None:
        singular = np.full(count, check_real("scale", scale, POSITIVE, "Try 0.3."))
    else:
        singular = np.linalg.norm(inputs @ data["components"].values[:count].T, axis=0)
    return {"variances": singular**2 * signal[:count], **own}


def _noise(data: xarray.Dataset, name: str, count: int) -> tuple[float, ...]:
    """Noise of the leading components; one that is negative within its error is none."""
    noise, error = (data[each].values[:count] for each in (name, f"{name}_error"))
    floor = np.finfo(float).eps * len(noise) * np.abs(data["signal"].values).max()
    wrong = np.flatnonzero(noise < -np.maximum(ERRORS * error, floor))
    if wrong.size:
        first = int(wrong[0])
        message = (
            f"The noise of a component must be ≥ 0, and {name} of component {first} is "
            f"{noise[first]:.3g} ± {error[first]:.1g}: that view varies less there than both share."
            f" Try `modes={first}`, or more samples."
        )
        raise InvalidSetting(message)
    return tuple(np.maximum(noise, 0.0).tolist())


def _check_inputs(weights: ArrayLike | Matrix, inputs: int) -> NDArray:
    found = check_weights(weights)
    if found.shape[1] != inputs:
        message = (
            f"Weights must be for the {inputs} inputs of the data; these have {found.shape[1]}. "
            "Transpose them, or measure the data of their inputs."
        )
        raise InvalidSpectrum(message)
    return found
