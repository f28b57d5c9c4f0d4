"""Draw a phase portrait from settings, to be saved still or moving."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from eigendyn.analysis.bifurcations.continuation import PATIENCE
from eigendyn.analysis.plane.axes import usual_starts
from eigendyn.analysis.plane.motion import Motion, phase_plane
from eigendyn.analysis.plane.portrait import Rests
from eigendyn.errors import InvalidSetting
from eigendyn.settings.spectrum import start_of_variances
from eigendyn.show.plot.phase import (
    add_legend,
    draw_descents,
    phase_portrait,
    portrait_figure,
    save_animation,
)
from eigendyn.show.plot.picture import save_figure

BATCH = 1_000
MARKS = 12  # that a trained network leaves on its way


def draw_portrait(
    path: Path,
    force: bool = False,
    *,
    starts: Sequence[Sequence[float]] = (),
    with_basins: bool = False,
    descents: int = 0,
    modes: int | None = None,
    held: Mapping[str, float] | None = None,
    window: Sequence[float] | None = None,
    progress: bool = False,
    settings: Mapping[str, Any],
) -> tuple[Motion, Rests, Callable[[], Path]]:
    """Draw a phase portrait, to be saved after its fixed points were printed.

    Args:
        path: Picture (.png, .pdf, .svg), or animation of the trajectories (.gif, .mp4).
        force: Overwrite an existing file.
        starts: Points of the plane (starts, 2) at which trajectories start; none takes three.
        with_basins: Whether to shade basins.
        descents: Number of networks to train from every start.
        modes: Number of modes (see `phase_plane`).
        held: Values of all states but two.
        window: Where both axes end.
        progress: Show a progress bar on standard error if it takes more than 2 s.
        settings: Loss, and fields of `Settings`.

    Returns:
        The motion on the plane, its fixed points, and a function that saves the picture, with the
        errors of `save_figure`.

    Raises:
        InvalidSetting: Starts that are not on the plane; an mp4 without ffmpeg; networks on a plane
            that is not one of two modes.
        The errors of `phase_plane` otherwise.
    """
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        message = "An .mp4 needs ffmpeg, and there is none on the PATH. Install it, or try .gif."
        raise InvalidSetting(message)
    with tqdm(total=3, unit="part", delay=PATIENCE, leave=False, disable=not progress) as bar:
        motion = phase_plane(modes=modes, held=held, window=window, **settings)
        bar.update()
        if descents and motion.system.names != ("singular_value_0", "singular_value_1"):
            message = (
                "`descents` trains networks of two modes, and this plane shows something else. "
                "Leave it out."
            )
            raise InvalidSetting(message)
        first = _starts(motion, starts)
        duration = motion.system.settings.duration
        figure, ax = portrait_figure()
        portrait = phase_portrait(
            motion, ax, starts=first, with_basins=with_basins, duration=duration
        )
        bar.update()
        if descents:
            draw_descents([p for s in first for p in _descended(s, descents, settings)], ax)
        bar.update()
        add_legend(figure)
    moves = path.suffix.lower() in (".gif", ".mp4")
    save = partial(save_animation, figure, ax) if moves else partial(save_figure, figure)
    return motion, portrait.rests, partial(save, path, force)


def _starts(motion: Motion, given: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    if not given:
        return usual_starts(motion.axes)
    tops = [axis.top for axis in motion.axes]
    for start in given:
        inside = len(start) == 2 and all(0 <= x <= top for x, top in zip(start, tops, strict=True))
        if not inside:
            message = (
                f"`starts` must each be a point of the plane, 0…{tops[0]:.3g} across and "
                f"0…{tops[1]:.3g} up, not {','.join(f'{x:g}' for x in start)}. "
                "Try `starts=[(0.3, 1)]`."
            )
            raise InvalidSetting(message)
    return [(float(x), float(y)) for x, y in given]


def _descended(
    start: tuple[float, float], descents: int, settings: Mapping[str, Any]
) -> list[NDArray]:
    """Variances (points, 2) of networks that descend the loss from a start."""
    from eigendyn.crosschecks.crosscheck import crosscheck  # with networks, slow to read

    weights, chosen = start_of_variances(start, {"batch": BATCH, **settings})
    tree = crosscheck(chosen.pop("loss"), weights, seeds=max(2, descents), **chosen)
    singular = np.asarray(tree["descent"]["singular_value"])
    whole = np.broadcast_to(chosen.get("signal") or 1.0, 2)[:, None]
    variance = whole * singular**2
    signal = np.broadcast_to(settings.get("signal") or 1.0, 2)
    order = np.argsort(np.argsort(-np.array(start) / signal, kind="stable"))
    steps = variance.shape[-1]
    marks = np.unique((np.linspace(0, 1, MARKS) ** 3 * (steps - 1)).astype(int))
    return [one[order][:, marks].T for one in variance[:descents]]
