"""Claims about typed keywords: editors and type checkers see what the functions take."""

from dataclasses import fields
from inspect import signature
from typing import get_args, get_type_hints

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.settings import choices, engines
from eigendyn.settings.given import GivenEnsemble, GivenSettings, GivenSweep
from eigendyn.settings.siamese import CHOICES

KNOWN = {
    **CHOICES,
    "method": engines.METHODS,
    "closure": choices.CLOSURES,
    "solver": choices.SOLVERS,
    "dtype": choices.DTYPES,
    "device": choices.DEVICES,
    "engine": engines.ENSEMBLE_ENGINES,
    "keep": choices.KEEPS,
}


def test_typed_keywords_are_the_settings_and_their_choices():
    typed = {"Settings": eigendyn.Settings, "ArrayLike": np.ndarray}
    hints, more = (get_type_hints(one, localns=typed) for one in (GivenSettings, GivenEnsemble))
    assert {*hints} == {field.name for field in fields(eigendyn.Settings)} - {"loss"} | {"settings"}
    assert set(GivenSweep.__annotations__) == {*hints}
    for name, known in KNOWN.items():
        assert get_args(more[name]) == known


@pytest.mark.parametrize(
    "verb", ["simulate", "ensemble", "phase_plane", "diagnose", "crosscheck", "sweep"]
)
def test_a_signature_names_every_keyword_so_that_ipython_completes_it(verb):
    taken = signature(getattr(eigendyn, verb)).parameters
    assert {"weight_decay", "predictor", "settings"} <= set(taken)
    assert not any(one.kind is one.VAR_KEYWORD for one in taken.values())


def test_settings_are_taken_whole_and_keywords_stand_before_them():
    whole = eigendyn.Settings(loss="euclidean", predictor="learned", weight_decay=0.02, steps=20)
    run = eigendyn.simulate(variances=[1.0, 0.5], settings=whole, weight_decay=0.1)
    same = eigendyn.simulate(
        "euclidean", [1.0, 0.5], predictor="learned", weight_decay=0.1, steps=20
    )
    assert run.attrs["loss"] == "euclidean"
    assert run.attrs["settings"] == same.attrs["settings"]
    np.testing.assert_array_equal(run.variance, same.variance)
    other = eigendyn.simulate("cosine", [1.0, 0.5], settings=whole, closure="mean-field")
    assert other.attrs["loss"] == "cosine"
    with pytest.raises(InvalidSetting, match="must be a Settings"):
        eigendyn.simulate("cosine", [1.0], settings={"steps": 20})
