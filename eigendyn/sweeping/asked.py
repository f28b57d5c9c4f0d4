"""Find the axes of a sweep in what a user gives: what stands once is fixed, the rest is swept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole, numbers_of
from eigendyn.settings.choices import (
    LOSS_NAMES,
    MODEL_NAMES,
    PREDICTORS,
    PRESETS,
    TARGETS,
    check_choice,
    given_name,
)
from eigendyn.settings.keywords import check_keywords
from eigendyn.settings.parameters import PARAMETERS, PER_MODE
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_variances, published_variances
from eigendyn.sweeping.axes import SAMPLE, START, VARIANCE, Axis, Values
from eigendyn.sweeping.plan import Question
from eigendyn.sweeping.ranges import EXAMPLE, Range, read_range

NAMED = ("loss", "preset", "predictor", "target")  # settings of which there may be lists
LARGEST_DESIGN = 2**30  # points of a Sobol sequence
Ties = Sequence[Sequence[str]]


def question(
    given: Mapping[str, Any],
    *,
    variances: ArrayLike | None,
    variance: ArrayLike | Range | str | None,
    starts: Mapping[str, Mapping[str, Any]] | None,
    parameters: Mapping[str, Any],
    tie: Ties,
    design: str | None,
) -> Question:
    """Take apart what is swept and what is not.

    Args:
        given: "loss", "preset" and fields of `Settings`: one value, or several.
        variances: Start (modes,), or starts (starts, modes); None takes the published one.
        variance: Variances of starts with one mode.
        starts: By name, settings of starts, with "variances".
        parameters: Numbers of a model or loss, by name, that are swept.
        tie: Names of what changes together.
        design: As "sobol:4096"; None is a grid.

    Raises:
        InvalidSetting, InvalidSpectrum, UnknownName: As it deserves.
    """
    count = None if design is None else read_design(design)
    fixed: dict[str, Any] = {}
    columns: dict[str, Values | Range] = {}
    losses: dict[str, Any] = {}
    for name, value in {**given, **parameters}.items():
        values = _column(name, value, name in parameters, losses)
        if values is None:
            fixed[name] = value
        else:
            columns[name] = values
    if variance is not None:
        columns[VARIANCE] = _variances(variance)
    chosen = [one is not None for one in (variances, variance, starts)]
    if sum(chosen) > 1:
        message = "A sweep has one kind of start: `variances`, `variance` or `starts`. Keep one."
        raise InvalidSetting(message)
    spectrum = _spectrum(variances)
    if spectrum.ndim > 1:
        columns[START] = np.arange(len(spectrum))
    elif starts:
        _check_alike(starts)
        columns[START] = tuple(starts)
    if not columns:
        message = (
            "A sweep needs something that changes: a range, as weight_decay=np.linspace(0, 0.3, "
            "200), or a list of losses. Give one, or take `eigendyn.simulate`."
        )
        raise InvalidSetting(message)
    seed = check_whole("seed", given.get("seed", Settings.seed), 0)
    axes = _axes(_tied(columns, tie, fixed), count, seed)
    return Question(axes, fixed, losses, spectrum, starts or {})


def read_design(text: str) -> int:
    """Number of points of a design.

    Raises:
        InvalidSetting: It is none.
    """
    found = re.fullmatch(r"sobol:(\d+)", text)
    count = int(found[1]) if found else 0
    if not 1 <= count <= LARGEST_DESIGN:
        message = (
            f"`design` must be sobol:COUNT, of at most 2^30 points, not {text!r}. Try sobol:4096."
        )
        raise InvalidSetting(message)
    return count


def _column(name: str, value: Any, is_own: bool, losses: dict[str, Any]) -> Values | Range | None:
    """Several values of a setting; None of one."""
    if name in NAMED:
        if isinstance(value, str) or not isinstance(value, Sequence):
            return None
        names = tuple(given_name(one) if name == "loss" else one for one in value)
        if not names or len(set(names)) < len(names):
            message = f"`{name}` must be names, each of them once, not {list(names)}."
            raise InvalidSetting(message)
        losses |= {n: one for n, one in zip(names, value, strict=True) if not isinstance(one, str)}
        return names
    if isinstance(value, Range):
        return value
    if name not in PARAMETERS and not is_own:
        return None
    if isinstance(value, str):
        return _range(name, value)
    several = numbers_of(value)
    if several is None or (name in PER_MODE and np.ndim(value) < 2):
        return None
    return _numbers(name, value)


def _range(name: str, text: str) -> Range:
    found = read_range(name, text)
    if found is None:
        message = (
            f"`{name}` must be a number, a list of them or a range as {EXAMPLE}; not {text!r}."
        )
        raise InvalidSetting(message)
    return found


def _numbers(name: str, value: ArrayLike) -> NDArray:
    try:
        numbers = np.array(value, float)
    except (TypeError, ValueError) as error:
        message = f"`{name}` must be numbers, not {value!r}."
        raise InvalidSetting(message) from error
    most = 2 if name in PER_MODE else 1
    if not 1 <= numbers.ndim <= most or not numbers.size or not np.isfinite(numbers).all():
        message = f"`{name}` must be a list of finite numbers, one at least. Try np.linspace(0, 1)."
        raise InvalidSetting(message)
    if numbers.ndim == 1 and len(np.unique(numbers)) < len(numbers):
        message = f"Values of `{name}` must differ from each other. Give each of them once."
        raise InvalidSetting(message)
    return numbers


def _variances(given: ArrayLike | Range | str) -> NDArray | Range:
    given = _range(VARIANCE, given) if isinstance(given, str) else given
    if isinstance(given, Range):
        check_variances([given.start, given.stop])
        return given
    return _numbers(VARIANCE, check_variances(given))


def _spectrum(given: ArrayLike | None) -> NDArray:
    if given is None:
        return published_variances()
    if np.ndim(given) == 2 and len(np.atleast_2d(given)):
        return np.stack([check_variances(row) for row in np.asarray(given)])
    return check_variances(given)


def _check_alike(starts: Mapping[str, Mapping[str, Any]]) -> None:
    counts = {name: np.size(start["variances"]) for name, start in starts.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in counts.items())
        message = f"Starts of a sweep must have as many modes as each other: {told}. Try `modes`."
        raise InvalidSetting(message)


def _tied(
    columns: Mapping[str, Values | Range], tie: Ties, fixed: Mapping[str, Any]
) -> list[dict[str, Values | Range]]:
    """What changes together, in the order given; who is tied without values follows the first."""
    groups = {name: {name: values} for name, values in columns.items()}
    for names in tie:
        check_keywords("setting", names, [*PARAMETERS, *NAMED, VARIANCE, *columns])
        first = next((name for name in names if name in columns), None)
        if first is None or len(set(names)) < 2:
            message = (
                "What is tied must be two settings at least, with a range for one of them; "
                f"{', '.join(names)} has none. Try tie=[('weight_decay', 'predictor_decay')]."
            )
            raise InvalidSetting(message)
        for name in names:
            if name in fixed or sum(name in others for others in tie) > 1:
                message = (
                    f"`{name}` is tied to {first}, and has a value of its own. Leave out one of "
                    "the two."
                )
                raise InvalidSetting(message)
            if name != first:
                groups[first][name] = columns.get(name, columns[first])
                groups.pop(name, None)
    return list(groups.values())


def _axes(
    groups: Sequence[Mapping[str, Values | Range]], count: int | None, seed: int
) -> tuple[Axis, ...]:
    """Names first, then numbers, then starts and what is drawn."""
    listed, drawn, draws = [], {}, {}
    for place, group in enumerate(groups):
        ranges = {name: one for name, one in group.items() if isinstance(one, Range)}
        if count is None or not ranges:
            listed.append(_listed(group))
            continue
        if len(ranges) < len(group) or any(one.count is not None for one in ranges.values()):
            name, one = next(iter(ranges.items()))
            log = ":log" * one.is_log
            message = (
                "A design draws its points, so that its ranges have none: write "
                f"{one.start:g}:{one.stop:g}{log} for `{name}`."
            )
            raise InvalidSetting(message)
        drawn |= ranges
        draws |= dict.fromkeys(ranges, place)
    if count is not None and not drawn:
        message = "A design needs a range to draw from. Try `weight_decay=0:0.3`."
        raise InvalidSetting(message)
    order = {place: number for number, place in enumerate(dict.fromkeys(draws.values()))}
    draws = {name: order[place] for name, place in draws.items()}
    samples = [Axis(SAMPLE, drawn, count, draws, seed)] if count is not None else []

    def rank(axis: Axis) -> int:
        return 0 if axis.is_text and axis.name != START else 1 + (axis.name in (VARIANCE, START))

    return (*sorted(listed, key=rank), *samples)


def _listed(group: Mapping[str, Values | Range]) -> Axis:
    """An axis of values that stand in a list."""
    columns: dict[str, Values] = {}
    for name, one in group.items():
        if isinstance(one, Range) and one.count is None:
            message = (
                f"A range of `{name}` needs a number of points: try "
                f"{one.start:g}:{one.stop:g}:100{'log' * one.is_log}. A design alone draws them."
            )
            raise InvalidSetting(message)
        columns[name] = one.values if isinstance(one, Range) else one
    counts = {name: len(values) for name, values in columns.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in counts.items())
        message = f"What is tied must have as many values as each other: {told}."
        raise InvalidSetting(message)
    first = next(iter(columns))
    return Axis(first, columns, counts[first])


def check_names(asked: Question) -> None:
    """Refuse names that do not exist.

    Raises:
        UnknownName: There are some.
    """
    known = {"preset": PRESETS, "predictor": PREDICTORS, "target": TARGETS}
    known["loss"] = (*LOSS_NAMES, *MODEL_NAMES, *asked.losses)
    for axis in asked.axes:
        for name, values in axis.columns.items():
            for one in values if name in known and isinstance(values, tuple) else ():
                check_choice(name, one, known[name])
