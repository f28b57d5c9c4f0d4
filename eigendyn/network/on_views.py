"""Train linear networks on minibatches of views that are drawn elsewhere, as from real images."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from tqdm.auto import tqdm

from eigendyn.network.descent import Descent, descent_step, first_state
from eigendyn.network.gradient import Weights
from eigendyn.network.network import Network
from eigendyn.network.views import Drawn, Population

NUMBERS = 2**22  # that are drawn at a time, at most: memory does not grow with the run

Draw = Callable[[int, Generator], tuple[NDArray, NDArray]]


def descend_on_views(
    weights: NDArray,
    network: Network,
    draw: Draw,
    population: Population,
    saved_steps: NDArray,
    *,
    seeds: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> Descent:
    """Train networks from the same weights on batches of their own, in the order of `descend`.

    Args:
        weights: First weights W (dimensions, inputs).
        network: What is trained, and how; its batch is the number of pairs in every step.
        draw: Draws so many pairs of views (count, inputs) by a generator.
        population: Moments of what is drawn.
        saved_steps: Increasing step numbers at which to measure, from 0 (times,).
        seeds: Number of networks.
        seed: Seed of all batches.
        progress: Show a progress bar on standard error.

    Returns:
        Measures over (seeds, modes, times): "eigenvalue" of W Σ₁₂ Wᵀ and "singular_value" of W,
        largest first; cut where a network is not finite.
    """
    start = first_state(network, jnp.asarray(weights, network.dtype), population)
    generators = [default_rng([seed, number]) for number in range(seeds)]
    (device,) = start.encoder.devices()  # threads do not inherit the default
    with (
        tqdm(total=seeds * int(saved_steps[-1]), unit="step", disable=not progress) as bar,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):

        def run(rng: Generator) -> NDArray:
            with jax.default_device(device):
                return _run(network, start, draw, population, saved_steps, rng, bar)

        runs = list(pool.map(run, generators))
    kept = min(values.shape[-1] for values in runs)
    found = np.stack([values[..., :kept] for values in runs])  # (seeds, 2, modes, times)
    measures = {"eigenvalue": found[:, 0], "singular_value": found[:, 1]}
    if kept == len(saved_steps):
        return Descent(network, saved_steps, measures)
    message = (
        f"The network diverged between steps {saved_steps[kept - 1]} and {saved_steps[kept]} at "
        f"learning rate {network.learning_rate:g}."
    )
    return Descent(network, saved_steps[:kept], measures, "diverged", message)


def _run(
    network: Network,
    weights: Weights,
    draw: Draw,
    population: Population,
    steps: NDArray,
    rng: Generator,
    bar: tqdm,
) -> NDArray:
    """Train one network; its measures (2, modes, times) as long as they are finite."""
    assert network.batch is not None
    inputs = weights.encoder.shape[1]
    length = int(max(1, min(NUMBERS // (2 * network.batch * inputs), np.diff(steps).max())))
    values, taken = [np.asarray(_measures(weights, population))], 0
    for until in steps[1:]:
        while taken < until:
            count = min(length, int(until) - taken)
            both = np.zeros((2, length, network.batch, inputs), network.dtype)
            for place, drawn in enumerate(draw(count * network.batch, rng)):
                both[place, :count] = drawn.reshape(count, network.batch, inputs)
            weights = _advance(network, weights, population, both, taken, count)
            taken += count
        values.append(np.asarray(_measures(weights, population)))
        bar.update(int(until) - int(steps[len(values) - 2]))
        if not np.isfinite(values[-1]).all():
            values.pop()
            break
    return np.stack(values, axis=-1)


@jax.jit
def _advance(
    network: Network, weights: Weights, population: Population, both: Array, taken: int, count: int
) -> Weights:
    """Take as many steps as are counted, each on its batch of both views (2, steps, …)."""

    def step(place: Array, weights: Weights) -> Weights:
        batch = Drawn(both[0, place].T, both[1, place].T, population)
        return descent_step(network, weights, taken + place, batch)

    return jax.lax.fori_loop(0, count, step, weights)


@jax.jit
def _measures(weights: Weights, population: Population) -> Array:
    """Eigenvalues of W Σ₁₂ Wᵀ, singular values of W: (2, modes), the largest first."""
    encoder = weights.encoder
    clean = jnp.linalg.eigvalsh(encoder @ population.clean @ encoder.T)
    squares = jnp.linalg.eigvalsh(encoder @ encoder.T)
    return jnp.stack([clean, jnp.sqrt(jnp.maximum(squares, 0))])[:, ::-1]
