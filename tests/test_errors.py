"""Claims about refusals: one kind each, below one class, and a typo is answered with a name."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eigendyn import errors
from eigendyn.errors import EigendynError, UnknownName
from eigendyn.settings import choices
from eigendyn.settings.choices import LOSS_NAMES, check_choice

REFUSALS = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, Exception) and value is not EigendynError
]
NAMES = {
    kind: value
    for kind, value in vars(choices).items()
    if isinstance(value, tuple) and not kind.endswith("SUFFIXES")
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_stands_directly_below_one_class(refusal):
    assert refusal.__bases__ == (EigendynError,)
    assert refusal.__doc__.strip()


def test_refusals_are_no_mistakes_of_the_program():
    assert not issubclass(EigendynError, ValueError | OSError | TypeError)


@pytest.mark.parametrize(("kind", "known"), NAMES.items())
def test_every_known_name_is_returned_unchanged(kind, known):
    assert [check_choice(kind, name, known) for name in known] == list(known)


@given(st.sampled_from(list(LOSS_NAMES)), st.data())
def test_a_name_with_one_letter_missing_is_recognised(name, data):
    place = data.draw(st.integers(0, len(name) - 1))
    typo = name[:place] + name[place + 1 :]
    with pytest.raises(UnknownName, match=f"Did you mean '{name}'"):
        check_choice("loss", typo, LOSS_NAMES)


@given(st.sampled_from(list(LOSS_NAMES)).map(str.upper))
def test_capitals_are_refused_with_the_name_in_small_letters(given_name):
    with pytest.raises(UnknownName, match=f"Did you mean '{given_name.lower()}'"):
        check_choice("loss", given_name, LOSS_NAMES)


@given(st.text().filter(lambda text: text not in LOSS_NAMES))
def test_any_other_text_is_refused_on_one_line_with_all_names(text):
    with pytest.raises(UnknownName) as refusal:
        check_choice("loss", text, LOSS_NAMES)
    message = str(refusal.value)
    assert repr(text) in message
    assert all(name in message for name in LOSS_NAMES)
    assert len(message.splitlines()) == 1
