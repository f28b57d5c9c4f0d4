"""Say in which turns the states of a step of descent move, and follow the steps in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.trajectory import Trajectory, finite_times
from eigendyn.settings.states import MOVES

BLOCKS = 50  # calls into compiled code per run: progress is shown, and Ctrl-C heard, in between
CORRELATION, TARGET = "correlation_value", "target_value"  # states that average others

Turn = tuple[tuple[int, int | None], ...]
Take = Callable[[Any, int, NDArray], tuple[Any, NDArray]]


def turns(states: tuple[str, ...], correlation_order: str, has_momentum: bool) -> Iterator[Turn]:
    r"""Order the states of one expected step, each turn from what the ones before have made.

        correlation  c ← μ_c c + (1 − μ_c)(1 + σ1²) s², if that is "update-first"
        descent      s, a learned predictor p and their velocities at once, from one gradient
        target       ξ ← μ_ξ ξ + (1 − μ_ξ) s with the new s, so that μ_ξ = 0 is the shared target

    A velocity without momentum, as a model may have, takes the Euler step with the descent. With
    "use-first" the correlation moves at once with the descent: it takes up the
    representations of this step's weights, and serves the next step.

    Args:
        states: Name of each state.
        correlation_order: One of `choices.CORRELATION_ORDERS`.
        has_momentum: Whether velocities are those of heavy ball.

    Yields:
        For each turn, the states that move by their rates: place, and the place of the state that
        one is the velocity of and moves next, or None. The rate of such a velocity is
        2(D − (1 − μ)u)/(η(1 + μ)), so that it moves by (1 + μ)/2 of it.

    Source: target after the optimiser's step, Grill et al. 2020 (BYOL); correlation used first,
    Tian et al. 2021 (DirectPred), updated first in solo-learn; momentum, PyTorch's SGD.
    """
    descending = tuple(name for name in states if name not in (CORRELATION, TARGET))
    order = {
        "update-first": ((CORRELATION,), descending, (TARGET,)),
        "use-first": ((CORRELATION, *descending), (TARGET,)),
    }
    moving = {name: MOVES[name] for name in states if has_momentum and name in MOVES}
    for names in order[correlation_order]:
        chosen = [name for name in states if name in names and name not in moving.values()]
        if chosen:
            driven = (moving.get(name) for name in chosen)
            yield tuple(
                (states.index(name), None if other is None else states.index(other))
                for name, other in zip(chosen, driven, strict=True)
            )


def in_blocks(
    take: Take,
    start: Any,
    saved_steps: NDArray,
    learning_rate: float,
    states: tuple[str, ...],
    report: Callable[[int], object],
) -> Trajectory:
    """Take steps from one saved one to the next, until one is not finite.

    Arguments and results are those of `descent_steps`, and `take`: from states as `start` is, the
    number of steps taken, and further steps up to each one to save (times,), it gives the last
    states and those at each (states, modes, times).
    """
    counts = np.diff(saved_steps)
    saved = [np.asarray(start)[..., None]]
    length = -(-len(counts) // BLOCKS)
    taken, now = int(saved_steps[0]), start
    for block in np.split(counts, range(length, len(counts), length)):
        filled = np.pad(block, (0, length - len(block)))  # so that all blocks share compiled code
        now, values = take(now, taken, filled)
        taken += int(block.sum())
        saved.append(values[..., : len(block)])
        report(int(block.sum()))
        if not np.isfinite(np.asarray(now)).all():
            break
    values = np.concatenate(saved, axis=-1)
    count = finite_times(values)
    steps = np.asarray(saved_steps[:count])
    completed = count == len(saved_steps)
    message = (
        f"The descent diverged between steps {steps[-1]} and {saved_steps[count]}. "
        "Try a smaller `learning_rate`."
        if not completed
        else ""
    )
    return Trajectory(
        times=learning_rate * steps.astype(float),
        values=values[..., :count],
        states=states,
        status="completed" if completed else "diverged",
        message=message,
    )
