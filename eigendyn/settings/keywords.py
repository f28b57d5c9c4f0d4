"""Refuse a keyword that a function does not take, and say which one was meant.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import partial, wraps
from inspect import BoundArguments, Parameter, signature
from typing import Any, ParamSpec, TypeVar

from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.other_names import in_python, meant

Given = ParamSpec("Given")
Result = TypeVar("Result")
Noun = TypeVar("Noun")
NEAR = 0.8  # likeness of a name from which a slip of the hand is more likely than another tool


def takes(
    *others: Callable[..., Any],
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let a function refuse keywords that neither it nor those that it hands them to take.

    A dataclass among these is taken whole too, as `settings`; keywords stand before its fields. The
    signature names every keyword, so that IPython completes it.

    Args:
        others: Functions and classes to which it hands its keywords on.

    Returns:
        A decorator; the function then raises `UnknownName`.
    """

    def decorate(verb: Callable[Given, Result]) -> Callable[Given, Result]:
        shown = signature(verb)
        nouns = [other for other in others if isinstance(other, type) and is_dataclass(other)]
        own = [one for one in shown.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
        more = [Parameter("settings", Parameter.KEYWORD_ONLY, default=None)] if nouns else []
        for other in others:
            more += [one.replace(kind=Parameter.KEYWORD_ONLY) for one in _by_name(other)]
        every = {one.name: one for one in [*more, *own]}  # its own in the place of others'
        known = [name for name in every if name != "self"]
        ordered = sorted(
            every.values(), key=lambda one: (one.kind, one.default is not Parameter.empty)
        )

        @wraps(verb)
        def checked(*args: Given.args, **given: Given.kwargs) -> Result:
            check_keywords("keyword", given, known)
            for noun in nouns:
                placed = partial(shown.bind_partial, *args)
                given.update(_taken_whole(noun, given, placed))
            return verb(*args, **given)

        checked.__signature__ = shown.replace(parameters=ordered)  # pyright: ignore[reportAttributeAccessIssue]
        return checked

    return decorate


def _taken_whole(
    noun: type, given: dict[str, Any], placed: Callable[[], BoundArguments]
) -> dict[str, Any]:
    """Fields of a dataclass given as `settings` that are not as usual and not given beside it."""
    whole = given.pop("settings", None)
    if whole is None:
        return {}
    if not isinstance(whole, noun):
        message = (
            f"`settings` must be a {noun.__name__}, not {type(whole).__name__}. "
            f"Try eigendyn.{noun.__name__}(weight_decay=0.01)."
        )
        raise InvalidSetting(message)
    values = {field.name: getattr(whole, field.name) for field in fields(noun)}
    usual = {field.name: field.default for field in fields(noun)}
    beside = {*given, *placed().arguments}
    return {
        name: value for name, value in values.items() if value != usual[name] and name not in beside
    }


def strict(noun: type[Noun]) -> type[Noun]:
    """Let a dataclass refuse keywords that are none of its fields with `UnknownName`."""
    made, known = noun.__init__, keywords_of(noun)

    @wraps(made)
    def checked(self: Noun, *args: Any, **given: Any) -> None:
        check_keywords("keyword", given, known)
        made(self, *args, **given)

    noun.__init__ = checked
    return noun


def keywords_of(verb: Callable[..., Any]) -> list[str]:
    """Names of what a function or class takes by keyword."""
    return [one.name for one in _by_name(verb)]


def _by_name(verb: Callable[..., Any]) -> list[Parameter]:
    """What a function or class takes by keyword."""
    by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return [one for one in signature(verb).parameters.values() if one.kind in by_name]


def check_keywords(kind: str, given: Iterable[str], known: Collection[str]) -> None:
    """Check that keywords are known.

    Args:
        kind: What they are, such as "keyword".
        given: The keywords given.
        known: The keywords there are.

    Raises:
        UnknownName: One is not; the message says what was meant, by the names of other tools and of
            options too.
    """
    for name in given:
        if name not in known:
            names = list(dict.fromkeys(known))
            raise UnknownName(kind, name, names, _hint(name, names))


def _hint(given: str, names: list[str]) -> str | None:
    """What was meant, in a sentence; None if that is not known."""
    name = meant("setting", given) or given.lower().replace("-", "_")
    near = [name] if name in names else get_close_matches(name, names, n=1, cutoff=NEAR)
    return f"Did you mean {near[0]!r}?" if near else in_python(name)
