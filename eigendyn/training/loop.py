"""Train the network of one seed, epoch by epoch, and measure and keep it on the way.

Measures are made in a thread beside the training, of states that it has left behind: what is
measured is the same as if training waited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray
from tqdm.auto import tqdm

from eigendyn.training.checkpoint import (
    Progress,
    no_checkpoint,
    stacked,
    unstacked,
    write_checkpoint,
)
from eigendyn.training.course import Course
from eigendyn.training.networks import build
from eigendyn.training.observed import ONCE, Row, observe
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
        rows = unstacked(reached.records, ONCE)
    (device,) = state.steps.devices()  # threads do not inherit the default

    def keep(state: State, epoch: int, loss: float) -> None:
        """Measure the network, say what there is to say, and write a checkpoint."""
        with jax.default_device(device):
            rows.append(observe(course, state, pairs, rows, epoch, loss))
        if rows[-1]["warned"] == epoch:
            tell(f"Seed {number}, epoch {epoch}: {rows[-1]['warning']}")
        bar.set_postfix_str(_said(rows[-1]), refresh=False)
        if path is not None and 0 < epoch < chosen.epochs:
            leaves = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(state))
            under_way = Progress(reached.done, number, epoch, stacked(rows, ONCE), leaves)
            write_checkpoint(path, told, under_way)

    stopped = -1
    with ThreadPoolExecutor(1) as aside:  # while the next epochs are trained
        kept = aside.submit(keep, state, 0, np.nan) if not rows else None
        for epoch, after, loss in _epochs(course, state, number, reached.epoch + 1):
            is_saved = epoch in course.saved
            if not (np.isfinite(loss) and (not is_saved or _is_finite(after))):
                stopped = epoch
                break
            if is_saved:
                if kept is not None:
                    kept.result()
                kept = aside.submit(keep, after, epoch, loss)
            bar.update()
        if kept is not None:
            kept.result()
    rows[-1]["stopped"] = stopped
    done = Progress((*reached.done, stacked(rows, ONCE)), number + 1)
    if path is not None and stopped < 0:  # else the last good one stays
        write_checkpoint(path, told, done)
    return done


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


def _begun(course: Course, number: int, first_views: NDArray) -> State:
    chosen = course.chosen
    key = jax.random.fold_in(jax.random.key(chosen.seed % LARGEST_KEY), number)
    shape = course.images.shape
    online = build(chosen.network, shape, chosen.embedding, key, chosen.dtype)
    return first_state(chosen, online, first_views)


def _measured_views(course: Course, number: int) -> tuple[NDArray, NDArray]:
    """Pairs of views on which the network of a seed is measured, the same all the time."""
    rng = default_rng([course.chosen.seed, number, MEASURED])
    count, pixels = course.views.images.shape
    rows = rng.permutation(count)[: min(PAIRS, max(FEWEST, PIXELS // pixels))]
    return course.views.pairs(rows, rng)


def _epochs(
    course: Course, state: State, number: int, first: int
) -> Iterator[tuple[int, State, float]]:
    """Every epoch from the first one on, the state after it and the mean loss of its batches."""
    batches, losses = _batches(course, number, first), []
    drawn = next(batches, None)
    while drawn is not None:
        epoch, *views = drawn
        state, values = take_steps(course.chosen, course.loss, state, *views)
        losses.append(values)
        drawn = next(batches, None)  # while these steps are taken: JAX does not wait for them
        if drawn is None or drawn[0] != epoch:
            yield epoch, state, float(np.concatenate(losses).mean(dtype=float))
            losses = []


def _batches(course: Course, number: int, first: int) -> Iterator[tuple[int, NDArray, NDArray]]:
    """Number of the epoch and pairs of views (steps, batch, pixels), epoch after epoch."""
    for epoch in range(first, course.chosen.epochs + 1):
        rng = default_rng([course.chosen.seed, number, ORDER, epoch])
        for one, other in course.views.epoch(course.chosen.batch, rng):
            yield epoch, one, other


def _said(row: Row) -> str:
    """What the progress bar says of the last measures."""
    accuracy = row.get("linear_accuracy")
    readout = [] if accuracy is None else [f"linear {100 * accuracy:.1f} %"]
    return ", ".join([*readout, f"rank {row['rankme']:.1f}", f"loss {row['loss']:.3g}"])
