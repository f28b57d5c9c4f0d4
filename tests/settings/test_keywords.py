"""Claims about keywords: an unknown one is refused with the name that was meant, in every verb."""

import copy
import pickle
from dataclasses import replace
from inspect import Parameter, signature
from operator import attrgetter

import pytest
from public import public_names

import eigendyn
from eigendyn import analysis
from eigendyn.cli.main import COMMANDS, cli
from eigendyn.errors import UnknownName
from eigendyn.settings.keywords import keywords_of
from eigendyn.settings.other_names import _IN_PYTHON, _SETTINGS

VERBS = {
    "simulate": (),
    "vector_field": (),
    "diagnose": (),
    "crosscheck": (),
    "ensemble": ("cosine", [[1.0, 2.0]]),
    "phase_plane": (),
    "explore": (),
    "dynamical_system": (),
    "Settings": (),
    "network.Network": (),
}


@pytest.mark.parametrize(("verb", "first"), VERBS.items())
@pytest.mark.parametrize(
    ("given", "meant"),
    [("lr", "learning_rate"), ("weight_decy", "weight_decay"), ("eps", "epsilon")],
)
def test_an_unknown_keyword_is_refused_with_the_one_that_was_meant(verb, first, given, meant):
    with pytest.raises(UnknownName, match=f"no keyword '{given}'. Did you mean '{meant}'"):
        attrgetter(verb)(eigendyn)(*first, **{given: 0.1})


@pytest.mark.parametrize(
    ("verb", "first", "given", "meant"),
    [
        ("ensemble", ("cosine", [[1.0, 2.0]]), "engin", "engine"),
        ("ensemble", ("cosine", [[1.0, 2.0]]), "memmory", "memory"),
        ("phase_plane", (), "windows", "window"),
        ("crosscheck", (), "batch_size", "batch"),
    ],
)
def test_a_verb_knows_its_own_keywords_beside_the_settings(verb, first, given, meant):
    with pytest.raises(UnknownName, match=f"Did you mean '{meant}'"):
        getattr(eigendyn, verb)(*first, **{given: 1})


def test_functions_of_a_system_know_their_own_keywords_beside_its_parameters():
    system = eigendyn.dynamical_system("euclidean", 1)
    refused = [
        lambda: eigendyn.continue_fixed_points(system, "weight_decay", (0, 0.4), slice=3),
        lambda: eigendyn.continue_fixed_points(system, "weight_decay", (0, 0.4), sigma=3),
        lambda: eigendyn.continue_fixed_points(system, "wd", (0, 0.4)),
        lambda: analysis.fold_curve(system, "sigma1", (0, 1), "weight_decay", (0, 1), fold=[]),
        lambda: analysis.passage_time(system, 0.1, 0.2, reltol=1e-3),
        lambda: eigendyn.fixed_points(system, [0], [2], start=3),
    ]
    meant = ("slices", "sigma1", "weight_decay", "folds", "rtol", "starts")
    for refuse, name in zip(refused, meant, strict=True):
        with pytest.raises(UnknownName, match=f"Did you mean '{name}'"):
            refuse()


def test_an_option_of_the_command_line_is_answered_with_what_does_it_in_python():
    with pytest.raises(UnknownName, match=r"variances=eigendyn\.spectrum\.from_embeddings"):
        eigendyn.simulate("cosine", embeddings=[[1.0, 2.0]])
    with pytest.raises(UnknownName, match=r"eigendyn\.crosscheck"):
        eigendyn.simulate("cosine", batch_size=256)
    options = {option.name for name in COMMANDS for option in cli.get_command(None, name).params}
    known = options | {option.replace("-", "_") for option in ("no-predictor", "slice")}
    assert set(_IN_PYTHON) <= known
    said = " ".join(_IN_PYTHON.values())
    for name in _names_after("eigendyn.", said):
        assert attrgetter(name.split("(")[0])(eigendyn) is not None


def _names_after(start, text):
    return [part.split()[0].rstrip(".") for part in text.split(start)[1:]]


def test_one_table_says_what_other_tools_call_an_option_and_a_keyword():
    settings = set(keywords_of(eigendyn.Settings))
    others = {name: given for name, given in _SETTINGS.items() if name in settings}
    for name, given in others.items():
        for other in given:
            with pytest.raises(UnknownName, match=f"Did you mean '{name}'"):
                eigendyn.Settings(**{other: 1})


def test_settings_are_still_copied_pickled_and_replaced():
    chosen = eigendyn.Settings(alpha=0.5)
    assert pickle.loads(pickle.dumps(chosen)) == chosen == copy.copy(chosen)
    assert replace(chosen, alpha=1.0) == eigendyn.Settings()
    assert "self" not in keywords_of(eigendyn.Settings)


NO_VERBS = ("theory.LOSSES", "recording.MEASURES", "EigendynError")
FIXED = [name for name in public_names() if name not in NO_VERBS]
BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@pytest.mark.parametrize("name", FIXED)
def test_every_public_verb_and_noun_refuses_a_misspelt_keyword_with_the_right_one(name):
    verb = attrgetter(name)(eigendyn)
    taken = signature(verb).parameters.values()
    if any(one.kind is Parameter.VAR_KEYWORD for one in taken):
        return  # its keywords are those of settings or of a system too: tested above
    names = {one.name for one in taken if one.kind in BY_NAME}
    longest = max((one for one in names if one[:-1] not in names), key=len, default="")
    said = f"'{longest[:-1]}'. Did you mean '{longest}'" if longest else "There are none"
    with pytest.raises(UnknownName, match=said):
        verb(**{longest[:-1] or "seed": 1})
