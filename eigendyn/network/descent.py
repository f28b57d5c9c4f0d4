"""Train networks by gradient descent, and measure along the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.network.gradient import Batch, Weights, batch_correlation, batch_gradient
from eigendyn.network.measures import MEASURES, Frame, measure
from eigendyn.network.network import Network
from eigendyn.network.predictors import correlation
from eigendyn.network.views import Population, correlated
from eigendyn.settings.checks import check_is, check_whole
from eigendyn.settings.choices import check_choice
from eigendyn.settings.keywords import takes
from eigendyn.settings.matrices import as_matrix
from eigendyn.settings.siamese import Siamese
from eigendyn.settings.spectrum import check_weights

BLOCKS = 50  # calls into compiled code per run: progress is shown, and Ctrl-C heard, in between


@dataclass(frozen=True)
class Descent:
    """What was measured along the gradient descent of several networks.

    Args:
        network: What was trained.
        steps: Saved steps (times,), up to the last at which all weights were finite.
        measures: By name (see `measures.MEASURES`), arrays (seeds, …, times).
        status: "completed" or "diverged".
        message: One sentence on what happened and what to try; empty when completed.
    """

    network: Network
    steps: NDArray  # (times,)
    measures: Mapping[str, NDArray]  # (seeds, …, times)
    status: str = "completed"
    message: str = ""


@takes()
def descend(
    weights: ArrayLike,
    network: Network,
    saved_steps: ArrayLike,
    *,
    seeds: int = 1,
    seed: int = 0,
    measures: tuple[str, ...] = ("singular_value", "eigenvalue"),
    samples: ArrayLike | None = None,
    progress: bool = False,
) -> Descent:
    """Train networks from the same weights on batches of their own.

    In every step, in this order::

        correlation  C ← m_C C + (1 − m_C) ⟨z1 z1ᵀ⟩ of the batch, if that is "update-first"
        encoder      u ← μ u + ∂ℓ/∂W + ω W, W ← W − η u; a learned predictor W_P at once with it,
                     with κ ∂ℓ/∂W_P + ω_p W_P: both gradients at the weights before the step
        target       W̃ ← m W̃ + (1 − m) W, the W that was just made, so that m = 0 shares weights

    With "use-first" the correlation of the same representations is taken up after its use.

    Args:
        weights: First weights W (dimensions, inputs), at least as many inputs as dimensions.
        network: What is trained, and how.
        saved_steps: Increasing step numbers at which to measure, from 0 (times,).
        seeds: Number of networks; each draws its own batches.
        seed: Seed of all batches.
        measures: What to measure, among `measures.MEASURES`; nothing else is kept.
        samples: Inputs (inputs, samples) whose representations "representation" follows.
        progress: Show a progress bar on standard error.

    Returns:
        The measures; cut before the first saved step at which a network's weights are not finite,
        status "diverged".

    Source: momentum and decay, PyTorch's SGD; target and schedule, Grill et al. 2020 (BYOL);
    correlation, Tian et al. 2021 (DirectPred): its code uses first, solo-learn's updates first.

    Raises:
        InvalidSpectrum: The weights or samples are no finite matrix, or have too few inputs.
        InvalidSetting: Steps that do not increase from 0, or a number without meaning.
        UnknownName: A measure that does not exist.

    Examples:
        >>> network = eigendyn.network.Network("euclidean", sigma1=0, batch=None)
        >>> found = eigendyn.network.descend(np.diag([0.3, 1.0]), network, [0, 50, 100])
        >>> found.measures["singular_value"][0, :, -1].round(3).tolist()
        [1.0, 1.0]
    """
    check_is(
        "network",
        network,
        isinstance(network, Network),
        "what eigendyn.network.Network(loss) gives",
    )
    first = check_weights(weights)
    steps = _check_steps(saved_steps)
    seeds, seed = check_whole("seeds", seeds, 1), check_whole("seed", seed, 0)
    for name in measures:
        check_choice("measure", name, MEASURES)
    start = first_state(network, jnp.asarray(first, network.dtype))
    frame = _frame(first, samples, network.dtype)
    keys = jax.random.split(jax.random.key(seed), seeds)
    (device,) = start.encoder.devices()  # threads do not inherit the default

    def run(key: Array) -> tuple[int, dict[str, NDArray]]:
        with jax.default_device(device):
            return _run(network, measures, start, frame, steps, key, bar)

    with (
        tqdm(total=seeds * int(steps[-1]), unit="step", disable=not progress) as bar,
        ThreadPoolExecutor(os.cpu_count()) as pool,  # one network occupies hardly more than a core
    ):
        runs = list(pool.map(run, keys))
    kept = min(count for count, _ in runs)
    stacked = {
        name: np.stack([values[name][..., :kept] for _, values in runs]) for name in measures
    }
    if kept == len(steps):
        return Descent(network, steps, stacked)
    message = (
        f"The network diverged between steps {steps[kept - 1]} and {steps[kept]} at learning rate "
        f"{network.learning_rate:g}."
    )
    return Descent(network, steps[:kept], stacked, "diverged", message)


def _check_steps(saved_steps: ArrayLike) -> NDArray:
    steps = np.asarray(saved_steps)
    whole = steps.ndim == 1 and steps.size >= 2 and np.issubdtype(steps.dtype, np.integer)
    if not whole or steps[0] != 0 or (np.diff(steps) <= 0).any():
        message = "Saved steps must be whole numbers that increase from 0. Try range(0, 1501, 5)."
        raise InvalidSetting(message)
    return steps


def _frame(weights: NDArray, samples: ArrayLike | None, dtype: str) -> Frame:
    left, _, right = np.linalg.svd(weights, full_matrices=False)
    inputs = weights.shape[1]
    if samples is None:
        followed = np.zeros((inputs, 0))
    else:
        followed = as_matrix(samples, "Samples", "inputs × samples").values
        if followed.shape[0] != inputs:
            message = (
                f"Samples must have a row for each of the {inputs} inputs; these have "
                f"{followed.shape[0]} rows. Transpose them."
            )
            raise InvalidSpectrum(message)
    return Frame(*(jnp.asarray(part, dtype) for part in (left, right.T, followed)))


def first_state(network: Network, encoder: Array, population: Population | None = None) -> Weights:
    """Everything that training changes, at the start."""
    learned, running = network.predictor == "learned", network.correlation_momentum is not None
    square = jnp.eye(encoder.shape[0], dtype=encoder.dtype)
    if network.encoder == "linear":
        average = correlated(network, encoder, population)
    else:
        average = (1 + network.sigma1**2) * correlation(network.encoder, encoder)
    return Weights(
        encoder=encoder,
        velocity=jnp.zeros_like(encoder),
        target=encoder if network.target == "ema" else None,
        correlation=average if running else None,
        predictor=(network.predictor_start or 0.0) * square if learned else None,
        predictor_velocity=jnp.zeros_like(square) if learned else None,
    )


def _run(network, names, weights, frame, steps, key, bar) -> tuple[int, dict[str, NDArray]]:
    """Train one network; returns the number of saved steps at which it was finite, and measures."""
    keys = jax.random.split(key)
    counts = np.diff(steps, prepend=0)
    length = -(-len(counts) // BLOCKS)
    saved, finite = [], []
    taken = 0
    for block in np.split(counts, range(length, len(counts), length)):
        filled = np.pad(block, (0, length - len(block)))  # so that all blocks share compiled code
        weights, values, is_finite = _advance(network, names, weights, frame, filled, taken, keys)
        taken += int(block.sum())
        saved.append({name: np.asarray(value)[: len(block)] for name, value in values.items()})
        finite.append(np.asarray(is_finite)[: len(block)])
        bar.update(int(block.sum()))
        if not finite[-1].all():
            break
    flags = np.concatenate(finite)
    joined = {
        name: np.moveaxis(np.concatenate([part[name] for part in saved]), 0, -1) for name in names
    }
    return len(flags) if flags.all() else int(flags.argmin()), joined


@partial(jax.jit, static_argnames="names")
def _advance(network, names, weights, frame, counts, taken, keys):
    """Take counts[i] steps for each i; measures and whether all is finite after each."""

    def step(number, weights):
        return descent_step(network, weights, number, jax.random.fold_in(keys[0], number))

    def segment(carry, count):
        weights, taken = carry
        after = taken + count
        weights = jax.lax.fori_loop(taken, after, step, weights)
        drawn = jax.random.fold_in(keys[1], after)
        values = measure(names, network, weights, frame, drawn)
        finite = jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(weights)]).all()
        return (weights, after), (values, finite)

    (weights, _), (values, finite) = jax.lax.scan(segment, (weights, taken), counts)
    return weights, values, finite


def descent_step(network: Network, weights: Weights, number: Array, batch: Batch) -> Weights:
    """One step of gradient descent; `number` counts them from zero."""
    correlation = _moved_correlation(network, weights, batch)
    if network.correlation_order == "update-first":
        weights = replace(weights, correlation=correlation)
    gradient = batch_gradient(network, weights, batch)
    drive = gradient.encoder + network.weight_decay * weights.encoder
    velocity = network.momentum * weights.velocity + drive
    after = replace(
        weights,
        encoder=weights.encoder - network.learning_rate * velocity,
        velocity=velocity,
        correlation=correlation,
    )
    if weights.target is not None:
        momentum = target_momentum(network, number, network.dtype)
        after = replace(after, target=_average(momentum, weights.target, after.encoder))
    if weights.predictor is not None and weights.predictor_velocity is not None:
        assert network.predictor_rate is not None
        drive = network.predictor_rate * gradient.predictor
        drive += network.predictor_decay * weights.predictor
        velocity = network.momentum * weights.predictor_velocity + drive
        after = replace(
            after,
            predictor=weights.predictor - network.learning_rate * velocity,
            predictor_velocity=velocity,
        )
    return after


def _moved_correlation(network: Network, weights: Weights, batch: Batch) -> Array | None:
    """The running correlation with this batch in it."""
    if weights.correlation is None or network.correlation_momentum is None:
        return None
    new = batch_correlation(network, weights, batch)
    return _average(network.correlation_momentum, weights.correlation, new)


def target_momentum(network: Siamese, number: Array, dtype: str) -> Array | float:
    """Momentum of the target in the step of this number, from zero, by its schedule.

    Source: Grill et al. 2020 (BYOL), the cosine schedule: 1 − (1 − m)(cos(πk/K) + 1)/2 in step k.
    """
    start = network.ema
    assert start is not None
    if network.ema_schedule == "constant":
        return start
    passed = number.astype(dtype) / network.steps
    return 1 - (1 - start) * (1 + jnp.cos(jnp.pi * passed)) / 2


def _average(momentum: Array | float, old: Array, new: Array) -> Array:
    return momentum * old + (1 - momentum) * new
