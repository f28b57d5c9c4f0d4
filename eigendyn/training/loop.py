"""Train the network of one seed, epoch by epoch, and measure and keep it on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.random import Generator, default_rng
from tqdm.auto import tqdm

from eigendyn.training.checkpoint import Progress, no_checkpoint, stacked, write_checkpoint
from eigendyn.training.course import Course
from eigendyn.training.networks import build
from eigendyn.training.observed import Row, observe
from eigendyn.training.step import State, first_state, take_steps

PAIRS, FEWEST = 2_048, 128  # of views on which a network is measured, at most; of large images
PIXELS = 2**22  # of all these, so that what is between them and embeddings fits memory
ORDER, MEASURED = 0, 1  # which random numbers: of an epoch, and of the views that are measured
LARGEST_KEY = 2**63  # of JAX; a seed may be any whole number


def train_one(
    course: Course,
    reached: Progress,
    bar: tqdm,
    tell: Callable[[str], object],
    path: Path | None,
    told: dict[str, Any],
) -> Progress:
    """Train the network of the seed under way to its end, or until it is not finite.

    Args:
        course: What is trained.
        reached: How far training has come.
        bar: Shows it.
        tell: Takes warnings.
        path: Of the checkpoint; None keeps none.
        told: What training was asked for, as the checkpoint holds it.
    """
    chosen, number = course.chosen, reached.seed
    pairs = _measured_views(course, number)
    state = _begun(course, number, pairs[0])
    rows: list[Row] = []
    if reached.leaves:
        assert reached.records is not None and path is not None
        state = _restored(state, reached, path)
        rows = [
            {name: values[place] for name, values in reached.records.items()}
            for place in range(len(reached.records["epoch"]))
        ]
    else:
        rows = [observe(course, state, pairs, [], 0, np.nan)]
    for epoch in range(reached.epoch + 1, chosen.epochs + 1):
        state, loss = _epoch(course, state, default_rng([chosen.seed, number, ORDER, epoch]))
        if not (np.isfinite(loss) and (epoch not in course.saved or _is_finite(state))):
            rows[-1]["stopped"] = epoch
            break
        if epoch in course.saved:
            rows.append(observe(course, state, pairs, rows, epoch, loss))
            if rows[-1]["warned"] == epoch:
                tell(f"Seed {number}, epoch {epoch}: {rows[-1]['warning']}")
            bar.set_postfix_str(_said(rows[-1]), refresh=False)
            if path is not None and epoch < chosen.epochs:
                leaves = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(state))
                under_way = Progress(reached.done, number, epoch, stacked(rows), leaves)
                write_checkpoint(path, told, under_way)
        bar.update()
    after = Progress((*reached.done, stacked(rows)), number + 1)
    if path is not None and rows[-1]["stopped"] < 0:  # else the last good one stays
        write_checkpoint(path, told, after)
    return after


def _restored(like: State, reached: Progress, path: Path) -> State:
    """The state that a checkpoint holds.

    Raises:
        UnreadableFile: It is that of another network.
    """
    wanted, structure = jax.tree.flatten(like)
    shapes, held = ([(one.shape, one.dtype) for one in each] for each in (wanted, reached.leaves))
    if shapes != held:
        raise no_checkpoint(path)
    return jax.tree.unflatten(structure, map(jnp.asarray, reached.leaves))


def _is_finite(state: State) -> bool:
    """Whether every weight is a number: the loss is that before the last step."""
    return all(bool(np.isfinite(leaf).all()) for leaf in jax.tree.leaves(state))


def _begun(course: Course, number: int, first_views: Array) -> State:
    chosen = course.chosen
    key = jax.random.fold_in(jax.random.key(chosen.seed % LARGEST_KEY), number)
    shape = course.images.shape
    online = build(chosen.network, shape, chosen.embedding, key, chosen.dtype)
    return first_state(chosen, online, first_views)


def _measured_views(course: Course, number: int) -> tuple[Array, Array]:
    """Pairs of views on which the network of a seed is measured, the same all the time."""
    rng = default_rng([course.chosen.seed, number, MEASURED])
    count, pixels = course.views.images.shape
    rows = rng.permutation(count)[: min(PAIRS, max(FEWEST, PIXELS // pixels))]
    first, second = course.views.pairs(rows, rng)
    return jnp.asarray(first), jnp.asarray(second)


def _epoch(course: Course, state: State, rng: Generator) -> tuple[State, float]:
    """Train for an epoch; the mean loss of its batches."""
    losses = []
    for first, second in course.views.epoch(course.chosen.batch, rng):
        state, values = take_steps(course.chosen, course.loss, state, first, second)
        losses.append(values)
    return state, float(np.concatenate(losses).mean(dtype=float))


def _said(row: Row) -> str:
    """What the progress bar says of the last measures."""
    accuracy = row.get("linear_accuracy")
    readout = [] if accuracy is None else [f"linear {100 * accuracy:.1f} %"]
    return ", ".join([*readout, f"rank {row['rankme']:.1f}", f"loss {row['loss']:.3g}"])
