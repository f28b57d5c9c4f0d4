"""Give the numbers that a verdict rests on, each in a sentence, at the last recording."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording import signs
from eigendyn.recording.sampling import LEAST
from eigendyn.recording.seen import MATTERS, Seen
from eigendyn.recording.trend import Trend

MOST_LISTED = 8  # modes named one by one
MOSTLY = 0.5  # of E‖z‖², which the mean has of a representation that is mostly constant


def constant(seen: Seen) -> str:
    """How much of a representation is its mean, or how little it varies."""
    share, total = seen.mean_share[-1], float(seen.total[-1])
    if share >= signs.CONSTANT:
        return f"The mean has {100 * share:.4g} % of E‖z‖²."
    if total > 0:
        return f"All modes together have a variance of {total:.1g}; below {LEAST:g} that is none."
    return "No mode has any variance."


def mean(seen: Seen) -> str:
    """What else is to be known where most of a representation is its mean; empty elsewhere."""
    share = seen.mean_share[-1]
    if not share > MOSTLY:
        return ""
    of = f"{100 * share:.3g} % of E‖z‖²"
    return f" The mean has {of}, so that the loss is mostly that of a constant."


def collapse(seen: Seen) -> str:
    """How much is left, which modes are lost, and how long until all is."""
    return f"{_whole(seen)} {_modes(seen)}".strip()


def losing_modes(seen: Seen) -> str:
    """Which modes are lost, and how long until they are gone."""
    return _modes(seen)


def oscillating(seen: Seen) -> str:
    """How far the modes that matter swing."""
    logs = np.log(np.maximum(seen.variance[seen.matters[:, -1], -signs.LOOKED :], LEAST))
    factor = math.exp(min(float(np.median(np.ptp(logs, axis=1))), 700.0))
    return (
        f"Among the last {signs.LOOKED} recordings modes turn {signs.TURNS} times or more, and "
        f"their largest variance is typically {factor:.3g} times their smallest."
    )


def same_views(seen: Seen) -> str:
    """How small the noise is."""
    return f"Noise is {seen.noise[-1]:.1g} of the variance that both views share."


def stopped(seen: Seen) -> str:
    """How small the learning rate is."""
    return f"It is {100 * seen.learning_rate[-1]:.2g} % of its largest."


def frozen(seen: Seen) -> str:
    """How little has moved."""
    largest = float(seen.variance[:, -1].max())
    return (
        f"In {len(seen.times)} recordings neither the variance nor the rank has changed beyond "
        f"doubt; the largest mode has {largest:.3g}. It was at rest from the start, or its rate is "
        "too small."
    )


def recruiting(seen: Seen) -> str:
    """Which modes rise."""
    rising = seen.of_modes.rises[:, -1] & seen.matters[:, -1]
    return (
        f"{_named(rising).capitalize()} {_verb(rising, 'rises', 'rise')}; the effective rank is "
        f"{seen.rank[-1]:.2f}, {_way(seen.of_rank)}, and the variance {seen.total[-1]:.3g}, "
        f"{_way(seen.of_total)}."
    )


def settled(seen: Seen) -> str:
    """How many modes live, and which small ones are not at rest."""
    alive = seen.matters[:, -1] & (seen.share[:, -1] >= signs.GONE)
    live = f"{alive.sum()} {_verb(alive, 'mode lives', 'modes live')}"
    return f"{live}; the effective rank is {seen.rank[-1]:.2f}.{_small(seen)}"


def _small(seen: Seen) -> str:
    """Which small modes still move; empty where none does."""
    dying, growing = (which[:, -1] for which in signs.small_that_move(seen))
    said = []
    if dying.any():
        said.append(f"{_named(dying)} still {_verb(dying, 'dies', 'die')}")
    if growing.any():
        said.append(f"{_named(growing)} still {_verb(growing, 'grows', 'grow')}")
    if not said:
        return ""
    return f" Of the others, below {100 * MATTERS:g} % of the largest, {' and '.join(said)}."


def moving(seen: Seen) -> str:
    """How variance and rank move."""
    return (
        f"The variance is {seen.total[-1]:.3g}, {_way(seen.of_total)}, and the effective rank "
        f"{seen.rank[-1]:.2f}, {_way(seen.of_rank)}."
    )


def _whole(seen: Seen) -> str:
    if seen.scale_free:
        now, most = seen.rank[-1], seen.rank.max()
        said = f"The effective rank is {now:.2f}, {_way(seen.of_rank)}; it was {most:.2f} at most."
        if not seen.of_spread.lost[0, -1]:
            return said
        now, most = 100 * seen.spread[-1], 100 * seen.spread.max()
        return f"{said} Of E‖z‖² {now:.3g} % varies, falling; it was {most:.3g} % at most."
    peak = float(seen.total.max())
    left = 100 * float(seen.total[-1]) / max(peak, LEAST)
    of = seen.of_total
    said = f"The variance is {left:.3g} % of its largest"
    if not of.falls[0, -1]:
        return f"{said}."
    rate = float(of.rate[0, -1])
    said += f", and d ln v/dt = {rate:.3g} ± {of.error[0, -1]:.1g}"
    said += _time_left(seen, left / 100, rate)
    if seen.scale_free is None:
        said += "; if the loss does not see the scale, name it, as in `--loss cosine`"
    return f"{said}."


def _modes(seen: Seen) -> str:
    dying, gone = signs.dying(seen)[:, -1], signs.gone(seen)[:, -1]
    matter = int(seen.matters[:, -1].sum())
    said = []
    if gone.any():
        said.append(f"{_named(gone)} {_verb(gone, 'is', 'are')} gone")
    if dying.any():
        rates = seen.of_modes.rate[dying, -1]
        slowest = int(np.argmax(rates))
        share = (seen.variance / np.maximum(seen.peak, LEAST))[dying, -1][slowest]
        left = _time_left(seen, float(share), float(rates[slowest]))
        said.append(f"{_named(dying)} {_verb(dying, 'dies', 'die')}{left}")
    if not said:
        return "" if seen.scale_free else "All modes that matter fall alike."
    return f"Of {matter} modes that mattered {' and '.join(said)}."


def _time_left(seen: Seen, share: float, rate: float) -> str:
    """Until `signs.GONE` of the largest is left, at a rate; empty where that is past."""
    if share <= signs.GONE or rate >= 0:
        return ""
    time = math.log(share / signs.GONE) / -rate
    pace = (seen.steps[-1] - seen.steps[-2]) / (seen.times[-1] - seen.times[-2])
    return f": {100 * signs.GONE:g} % is left in {time:.3g}, {math.ceil(time * pace):,} steps"


def _named(which: NDArray) -> str:
    modes = np.flatnonzero(which)
    names = ", ".join(map(str, modes[:MOST_LISTED]))
    more = f" and {len(modes) - MOST_LISTED} more" if len(modes) > MOST_LISTED else ""
    return f"{'mode' if len(modes) == 1 else 'modes'} {names}{more}"


def _verb(which: NDArray, one: str, several: str) -> str:
    return one if which.sum() == 1 else several


def _way(of: Trend) -> str:
    if of.rises[0, -1]:
        return "rising"
    return "falling" if of.falls[0, -1] else "steady within its scatter"
