"""Follow all weights of a linear encoder under a Euclidean loss, on measured data."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
import xarray
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.results.labelled import check_data
from eigendyn.results.provenance import provenance
from eigendyn.settings.checks import POSITIVE, check_real, check_whole
from eigendyn.settings.choices import LOSS_ROWS, check_choice, loss_name
from eigendyn.settings.device import find_device
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PER_MODE, default
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_weights
from eigendyn.simulation.initial import saved_steps
from eigendyn.simulation.matrix.measures import LABELS, measures
from eigendyn.simulation.matrix.moments import second_moments
from eigendyn.simulation.matrix.rates import first_state, law_of
from eigendyn.simulation.matrix.steps import follow_flow, take_steps

if TYPE_CHECKING:
    from eigendyn.settings.matrices import Matrix
    from eigendyn.simulation.matrix.steps import Followed

OF_DATA = ("sigma1", "sigma2", *PER_MODE)  # what settings say of inputs and their noise
METHODS = ("auto", "flow", "steps")
NUMBERS = (
    *("alpha", "beta", "epsilon", "ema", "correlation_momentum", "predictor_rate"),
    *("predictor_decay", "weight_decay", "momentum", "learning_rate", "steps"),
)


@takes(Settings)
def matrix_flow(
    loss: str,
    data: xarray.Dataset,
    weights: ArrayLike | Matrix | None = None,
    *,
    modes: int = 10,
    scale: float = 0.3,
    **settings: Unpack[GivenSettings],
) -> xarray.Dataset:
    r"""Follow the weights W of a linear encoder under a Euclidean loss, on data of any kind.

    dW/dt = Pᵀ (W̃ Σ₂₁ − P W Σ₁₁) − ω W, without Pᵀ under the isotropic loss, and with
    P W Σ₁₂ − W Σ₂₂ besides where the gradient is not stopped. Only second moments of the views
    enter, so that this holds for every distribution; nothing is assumed of how noise and encoder
    lie among the components, which is what aligned modes (`simulate`) do.

    Args:
        loss: "euclidean" or "iso-euclidean".
        data: A result of `eigendyn.data`, also loaded from its file.
        weights: First weights (modes, inputs); None takes `scale` times the leading components.
        modes: Number of these components, largest signal first.
        scale: Singular value of every mode at the start.
        settings: Fields of `Settings`. The method is "flow", the gradient flow, or "steps", the
            expected step of descent at the learning rate; "auto" is a flow unless there is
            momentum.

    Returns:
        Dataset over time, mode (largest first), component and input: `eigenvalue` of the clean
        correlation W Σ₁₂ Wᵀ, `singular_value`, `predictor_eigenvalue`, `component_variance`,
        `overlap` of right singular vectors with the components nearest to them,
        `off_component_share`, `expected_loss`, and the last `weights`. Divergence is its attribute
        `status`, and the data then end where it happened.

    Raises:
        UnknownName: A loss, method, keyword, … that does not exist.
        InvalidSetting: A loss that is not Euclidean, a setting that the data have, a number without
            meaning, or momentum with a flow.
        InvalidSpectrum: Weights that are no finite matrix of as many inputs as the data have.
        DeviceUnavailable: There is no such device here.

    Source: Halvagal et al. 2023, their linear network; learned predictor, Tian et al. 2021.

    Examples:
        >>> x = np.random.default_rng(0).normal(size=(500, 3)) * [2.0, 1.0, 0.5]
        >>> data = eigendyn.data.from_inputs(x, "noise:0.5")
        >>> run = eigendyn.matrix_flow("euclidean", data, modes=2, learning_rate=0.2)
        >>> run.eigenvalue.isel(time=-1).values.round(2).tolist()
        [0.94, 0.79]
    """
    check_data(data)
    chosen = _checked(loss, settings)
    first = first_weights(data, weights, modes, scale)
    with jax.default_device(find_device(chosen.device)):
        moments = second_moments(data, chosen.dtype)
        law = law_of(chosen, moments)
        numbers = {
            name: jnp.asarray(getattr(chosen, name), chosen.dtype)
            for name in NUMBERS
            if getattr(chosen, name) is not None
        }
        components = data["components"].values
        turned = jnp.asarray(first @ components.T, chosen.dtype)
        state = first_state(law, turned, moments, chosen.predictor_start or 0.0)
        saved = saved_steps(chosen)
        if chosen.follows_flow:
            found = follow_flow(law, state, moments, numbers, saved, measures, chosen)
        else:
            found = take_steps(law, state, moments, numbers, saved, measures)
    return _labelled(found, chosen, np.asarray(found.last.weights) @ components)


def first_weights(
    data: xarray.Dataset, weights: ArrayLike | Matrix | None, modes: int, scale: float
) -> NDArray:
    """Weights (modes, inputs) at the start.

    Raises:
        InvalidSetting: More modes than components, or a scale that is not positive.
        InvalidSpectrum: Weights that are none, or of other inputs.
    """
    inputs = data.sizes["input"]
    if weights is not None:
        first = check_weights(weights)
        if first.shape[1] != inputs:
            message = (
                f"Weights must have a column for each of the {inputs} inputs of the data; these "
                f"have {first.shape[1]}. Transpose them, or leave them out."
            )
            raise InvalidSpectrum(message)
        return first
    check_whole("modes", modes, 1)
    scale = check_real("scale", scale, POSITIVE, "Try 0.3.")
    if modes > data.sizes["component"]:
        message = (
            f"`modes` must be at most the {data.sizes['component']} components of the data, not "
            f"{modes}."
        )
        raise InvalidSetting(message)
    return scale * data["components"].values[:modes]


def _checked(loss: str, settings: Any) -> Settings:
    name = check_choice("loss", loss_name(loss), LOSS_ROWS)
    if not LOSS_ROWS[name].is_quadratic:
        known = " and ".join(one for one, row in LOSS_ROWS.items() if row.is_quadratic)
        message = (
            f"Matrix dynamics must be those of {known}, not of {name}: these losses are quadratic, "
            "so that second moments are all that enters; others see the whole distribution. Try "
            "`loss='euclidean'`, or aligned modes, eigendyn.simulate."
        )
        raise InvalidSetting(message)
    for given in OF_DATA:
        if settings.get(given) not in (None, default(given)):
            message = f"`{given}` is a property of the data here, and measured. Leave it out."
            raise InvalidSetting(message)
    chosen = Settings(loss=name, **settings)
    if chosen.method not in METHODS:
        message = (
            f"`method={chosen.method!r}` follows modes, and this a matrix. Try `method='flow'`, "
            "the gradient flow, or `method='steps'`, expected descent."
        )
        raise InvalidSetting(message)
    if chosen.follows_flow and chosen.momentum:
        message = (
            f"`momentum={chosen.momentum:g}` belongs to steps, and the flow of a matrix has none. "
            "Try `method='steps'`."
        )
        raise InvalidSetting(message)
    return chosen


def _labelled(found: Followed, chosen: Settings, weights: NDArray) -> xarray.Dataset:
    """Label what was measured, mode and component first, time last."""
    variables: dict[str, Any] = {
        name: (
            (*LABELS[name][0], "time"),
            np.moveaxis(values, 0, -1),
            _label(LABELS[name][1], LABELS[name][2]),
        )
        for name, values in found.values.items()
    }
    label = _label("weights W at the last saved time", "√variance/input")
    variables["weights"] = (("mode", "input"), weights, label)
    method = "flow" if chosen.follows_flow else "steps"
    used = {name: value for name, value in asdict(chosen).items() if name not in OF_DATA}
    title = chosen.loss + ("" if chosen.stop_gradient else ", no stop-gradient")
    return xarray.Dataset(
        variables,
        coords={
            "time": (
                "time",
                chosen.learning_rate * found.steps.astype(float),
                _label("training time", "learning rate × step"),
            ),
            "step": ("time", found.steps, _label("training step", "steps")),
            "mode": ("mode", np.arange(len(weights)), _label("mode, largest first", "1")),
            "component": np.arange(found.values["component_variance"].shape[1]),
            "input": np.arange(weights.shape[1]),
        },
        attrs={
            "title": f"{title}, matrix {method}",
            "loss": title,
            "method": method,
            "closure": "exact: only second moments enter",
            "status": "diverged" if found.message else "completed",
            "message": found.message,
            "settings": json.dumps(used, ensure_ascii=False),
            **provenance(str(find_device(chosen.device)), chosen.dtype),
        },
    )


def _label(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
