"""Read augmentations from text, such as shift:1,noise:0.05, and check that they fit the inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eigendyn.data.augmentations import AUGMENTATIONS, Step
from eigendyn.data.expected import Shape
from eigendyn.errors import InvalidSetting, as_given
from eigendyn.settings.checks import one_spelling
from eigendyn.settings.choices import check_choice


def read_augmentations(text: str, name: str) -> tuple[Step, ...]:
    """Read augmentations, in the order in which they are made.

    Args:
        text: NAME:NUMBER or NAME each, separated by commas.
        name: Of the parameter, for messages.

    Raises:
        UnknownName: There is no such augmentation.
        InvalidSetting: No text, none named, or a number that is missing, out of place or not of the
            augmentation's domain.
    """
    if not isinstance(text, str):
        message = (
            f"`{name}` must be text, not {as_given(text)}. Try 'shift:1,noise:0.05', or 'noise:0' "
            "for none."
        )
        raise InvalidSetting(message)
    if not text.strip():
        message = f"`{name}` must name an augmentation; it is empty. For none, try noise:0."
        raise InvalidSetting(message)
    return tuple(_read_step(part, name) for part in text.split(","))


def _read_step(part: str, name: str) -> Step:
    word, colon, written = part.partition(":")
    word = check_choice("augmentation", one_spelling(word), AUGMENTATIONS)
    row = AUGMENTATIONS[word]
    if not row.number:
        if colon:
            message = f"`{name}`: {word} takes no number, not {part.strip()!r}. Try {word}."
            raise InvalidSetting(message)
        return Step(word, 0.0)
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and row.domain.holds(number)):
        given = f"not {written.strip()!r}" if written.strip() else "and there is none"
        message = (
            f"`{name}`: {word} takes a number, its {row.number}, that is finite and "
            f"{row.domain.words}, {given}. Try {row.example}."
        )
        raise InvalidSetting(message)
    return Step(word, number)


def written(steps: Sequence[Step]) -> str:
    """Augmentations as text, in one spelling."""
    return ",".join(
        f"{step.name}:{step.number:g}" if step.row.number else step.name for step in steps
    )


def described(steps: Sequence[Step]) -> str:
    """Augmentations in words."""
    return ", then ".join(step.row.does.format(f"{step.number:g}") for step in steps)


def taken(steps: Sequence[Step]) -> str:
    """How expectations over augmentations are taken, in words."""
    by_quadrature = {step.name: step.row.taken for step in steps if step.row.taken}
    others = {step.name for step in steps} - {*by_quadrature}
    words = [f"{name} {how}" for name, how in by_quadrature.items()]
    return "; ".join([*words, "all others exact"] if words and others else words or ["exact"])


def check_fit(steps: Sequence[Step], shape: Shape) -> None:
    """Check that augmentations can be made of inputs of a shape.

    Raises:
        InvalidSetting: They move pixels and inputs are vectors, or shift further than an image is.
    """
    for step in steps:
        if step.row.of_images and len(shape) == 1:
            message = (
                f"{step.name} needs images, samples × height × width; these inputs are vectors of "
                f"{shape[0]} dimensions. Try `shape` with their height and width, or noise:0.05."
            )
            raise InvalidSetting(message)
        if step.name == "shift" and step.number >= min(shape):
            message = (
                f"shift must be below the image's height and width, {shape[0]} × {shape[1]}, not "
                f"{step.number:g}. Try {'shift:1' if min(shape) > 1 else 'noise:0.05'}."
            )
            raise InvalidSetting(message)
