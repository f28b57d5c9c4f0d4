"""Claims about settings: whatever is constructed is valid, whatever is not teaches."""

import math
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.run_settings import Settings

NUMBERS_WITHOUT_MEANING = [
    ("alpha", [0, -1, math.nan, math.inf, "1", True]),
    ("beta", [1.5, math.nan, -math.inf]),
    ("sigma1", [-0.1, math.nan, math.inf]),
    ("sigma2", [-0.1, math.nan, math.inf]),
    ("weight_decay", [-1e-9, math.nan, math.inf]),
    ("learning_rate", [0, -0.1, math.nan, math.inf]),
    ("steps", [0, -1, 1.5, math.nan, True]),
    ("saves", [1, 0, 2.5]),
    ("seed", [-1, 0.5]),
    ("max_solver_steps", [0]),
    ("rtol", [0, -1e-9, math.nan, 1e-16]),
    ("atol", [0, -1e-9, math.nan]),
]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in NUMBERS_WITHOUT_MEANING for value in values],
)
def test_a_number_without_meaning_is_refused_with_its_name_and_the_value(name, value):
    with pytest.raises(InvalidSetting) as refusal:
        Settings(**{name: value})
    assert f"`{name}` must be" in str(refusal.value)
    assert str(value) in str(refusal.value)


@pytest.mark.parametrize("value", [0, 1, -0.1, math.nan])
def test_closure_accuracy_lies_between_0_and_1(value):
    with pytest.raises(InvalidSetting, match=r"`closure_accuracy` must be .* between 0 and 1"):
        Settings(closure_accuracy=value)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"loss": "iso-cosine", "beta": 0.5}, ["iso-cosine", "`loss='cosine', beta=0.5`"]),
        ({"predictor": "none", "beta": 0.5}, ["`beta=0.5`", "`predictor='none'`"]),
        ({"predictor": "none", "alpha": 2}, ["`alpha=2`", "`predictor='none'`"]),
        ({"stop_gradient": False, "beta": 0.5}, ["`beta=0.5`", "`stop_gradient=False`"]),
        ({"method": "steps", "rtol": 1e-6}, ["`rtol`", "`method='steps'`"]),
        ({"method": "closed-form", "atol": 1e-6}, ["`atol`", "`method='closed-form'`"]),
        ({"method": "steps", "solver": "stiff"}, ["`solver`", "`method='steps'`"]),
        ({"closure": "mean-field", "closure_accuracy": 1e-6}, ["`closure_accuracy`"]),
        ({"closure": "exact", "samples": 50}, ["`samples`", "`closure='sampled'`"]),
        ({"dtype": "float32", "rtol": 1e-8}, ["`rtol`", "float32", "`dtype='float64'`"]),
        ({"learning_rate": 1e308, "steps": 1000}, ["`learning_rate`", "`steps`"]),
    ],
)
def test_contradictory_settings_are_refused_by_naming_both(settings, named):
    with pytest.raises(InvalidSetting) as refusal:
        Settings(**settings)
    for words in named:
        assert words in str(refusal.value)


@pytest.mark.parametrize("name", ["method", "closure", "solver", "dtype", "device"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(UnknownName, match=name):
        Settings(**{name: "floww"})


@pytest.mark.parametrize("name", ["normalize", "stop_gradient"])
def test_switches_are_booleans(name):
    with pytest.raises(InvalidSetting, match="True or False"):
        Settings(**{name: "no"})


def test_beta_at_its_plain_value_goes_with_every_ablation():
    assert Settings(beta=0.0, predictor="none", stop_gradient=False).beta == 0


def test_tolerances_follow_the_precision_where_none_are_given():
    assert Settings().tolerances == (1e-10, 1e-12)
    assert Settings(dtype="float32").tolerances == (1e-5, 1e-7)
    assert Settings(rtol=1e-4).tolerances == (1e-4, 1e-12)
    assert Settings().rtol is None


@pytest.mark.parametrize("method", ["auto", "flow", "steps", "closed-form"])
def test_recorded_settings_can_be_run_again(method):
    settings = Settings(method=method, learning_rate=np.float32(0.5), steps=np.int64(7))
    assert Settings(**asdict(settings)) == settings
    assert type(settings.learning_rate) is float
    assert type(settings.steps) is int


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Settings().steps = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", ["weight_decay", "alpha", "sigma2", "momentum"])
def test_none_is_refused_where_there_must_be_a_number(name):
    for noun in (eigendyn.Settings, eigendyn.network.Network):
        with pytest.raises(InvalidSetting, match="not None"):
            noun(**{name: None})
    eigendyn.Settings(beta=None, rtol=None)  # where None means that there is none


def test_text_in_the_place_of_a_number_is_shown_as_text():
    with pytest.raises(InvalidSetting, match=r"not '0\.1'"):
        eigendyn.Settings(weight_decay="0.1")


@pytest.mark.parametrize("verb", ["simulate", "diagnose", "crosscheck", "ensemble", "phase_plane"])
def test_what_is_no_loss_is_refused_in_every_verb(verb):
    spectra = ([[1.0, 2.0]],) if verb == "ensemble" else ()
    for loss in (["cosine"], 5):
        with pytest.raises(InvalidSetting, match="must be a name or a SymbolicLoss"):
            getattr(eigendyn, verb)(loss, *spectra)
