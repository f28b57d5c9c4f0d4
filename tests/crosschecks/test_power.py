"""Claims about what a cross-check would have caught."""

import numpy as np
import pytest
import xarray
from scipy import stats
from structures import first_of

import eigendyn
from eigendyn.crosschecks.power import sensitivities, smallest_change
from eigendyn.crosschecks.systems import (
    DEFAULT_BATCH,
    DEFAULT_STEPS,
    EVERY_TERM,
    SAVES,
    WATCHES,
    crosscheck_system,
    systems,
)
from eigendyn.crosschecks.verdict import agreement
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engines.in_jax.sensitivity import _differentiated
from eigendyn.simulation.engines.in_jax.steps import advance

VARIANCES = np.array([1.1, 0.5, 0.2])
SMALL = {"method": "steps", "steps": 40, "saves": 5, "sigma1": 0.4, "weight_decay": 0.03}
FALSE_ALARM = 0.01 / len(list(systems()))
ERROR = 0.02


@pytest.mark.parametrize(
    "settings",
    first_of(
        {
            "predictor": "learned",
            "predictor_rate": 2.0,
            "predictor_decay": 0.05,
            "target": "ema",
            "ema": 0.8,
            "ema_schedule": "cosine",
            "momentum": 0.6,
        },
        {
            "predictor": "running",
            "alpha": 0.5,
            "epsilon": 0.2,
            "epsilon_placement": "outside",
            "correlation_momentum": 0.9,
        },
        {"beta": 0.5},
    ),
    ids=["learned", "running", "family"],
)
def test_sensitivities_are_what_small_changes_do(settings):
    """Two routes: forward mode through every step, and two simulations with the number changed."""
    given = SMALL | settings
    theory = eigendyn.simulate("euclidean", VARIANCES, **given)
    found = sensitivities(Settings(loss="euclidean", **given), None, theory)
    assert {name for name in settings if isinstance(settings[name], float)} <= set(found)
    for name, slope in found.items():
        value = getattr(Settings(loss="euclidean", **given), name)
        up, down = (
            eigendyn.simulate(
                "euclidean", VARIANCES, **given | {name: value * (1 + h)}
            ).singular_value.values
            for h in (1e-4, -1e-4)
        )
        expected = (up - down) / 2e-4
        assert np.abs(expected).max() > 1e-4
        np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-7)


def test_a_written_losss_own_number_is_watched_too():
    loss = eigendyn.parse_loss("sum((gamma*lam*z1 - sg(z2))**2)/2", parameters={"gamma": 0.8})
    theory = eigendyn.simulate(loss, VARIANCES, **SMALL)
    found = sensitivities(Settings(loss=loss.name, **SMALL), loss, theory)
    assert {"gamma", "alpha", "sigma1", "weight_decay", "learning_rate"} == set(found)
    assert np.abs(found["gamma"]).max() > 0.01


def test_theories_that_differ_in_numbers_share_compiled_code():
    sizes = []
    for number in (0.2, 0.3):
        loss = eigendyn.parse_loss("sum((gamma*lam*z1 - sg(z2))**2)/2", {"gamma": number})
        given = SMALL | {
            "sigma1": number,
            "learning_rate": number / 10,
            "weight_decay": number / 20,
        }
        theory = eigendyn.simulate(loss, VARIANCES, **given)
        sensitivities(Settings(loss=loss.name, **given), loss, theory)
        sizes.append((advance._cache_size(), _differentiated._cache_size()))
    assert sizes[0] == sizes[1]


def made_up(difference, error, seeds=8):
    """An agreement at one mode and two times, of which the first never counts."""
    allowed = float(stats.norm.isf(0.001))
    over = ("mode", "time")
    return xarray.Dataset(
        {"difference": (over, [[0.0, difference]]), "standard_error": (over, [[1e-9, error]])},
        attrs={"verdict": "agrees", "allowed_deviation": allowed, "pairs": seeds},
    )


def test_the_smallest_change_is_the_one_at_which_the_verdict_turns():
    """Both directions must be caught: the difference that is there already helps only one."""
    allowed = stats.t.isf(0.001, 7) * 0.1
    assert smallest_change(made_up(0.0, 0.1), np.array([[9.0, 2.0]])) == pytest.approx(allowed / 2)
    for difference, slope in ((0.05, 2.0), (0.05, -2.0), (-0.05, 2.0)):
        found = smallest_change(made_up(difference, 0.1), np.array([[9.0, slope]]))
        assert found == pytest.approx((allowed + 0.05) / 2)


def test_what_has_no_effect_is_never_caught():
    assert smallest_change(made_up(0.0, 0.1), np.array([[9.0, 0.0]])) == np.inf
    assert smallest_change(made_up(0.0, 0.1), np.array([[9.0, np.nan]])) == np.inf


def test_every_number_of_the_theory_is_watched_by_a_system():
    assert {name for watch in WATCHES.values() for name in watch.numbers} == set(PARAMETERS)


@pytest.fixture(
    scope="module", params=["watching, learned", "watching, running", "watching, own signals"]
)
def watched(request):
    """Systems that are to show an error of 2 %; docs/systems.md has all of them."""
    settings = dict(systems())[request.param]
    tree = crosscheck_system(
        settings, batch=DEFAULT_BATCH, steps=DEFAULT_STEPS, false_alarm=FALSE_ALARM
    )
    return WATCHES[request.param], settings, tree


@pytest.mark.full  # test_crosscheck.py has the truth, and 2 % too much of one term
def test_the_true_theory_passes_and_errors_of_two_percent_do_not(watched):
    """Wrong theories are simulated anew, beside the same networks."""
    watch, settings, tree = watched
    compared, descent = tree["agreement"].to_dataset(), tree["descent"].to_dataset()
    assert compared.attrs["verdict"] == "agrees"
    variances = tree["theory"]["variance"].values[:, 0]
    given = {**EVERY_TERM, "steps": DEFAULT_STEPS, "saves": SAVES, **settings}
    given = {name: value for name, value in given.items() if name != "scale"}
    given |= {"variances": variances, "method": "steps"}
    true = Settings(**{name: value for name, value in given.items() if name != "variances"})
    for name in watch.numbers:
        assert float(compared["smallest_change"].sel(parameter=name)) < 0.9 * ERROR, name
        for error in (ERROR, -ERROR):
            changed = (1 + error) * np.asarray(getattr(true, name))
            # another signal changes the variances of the same weights
            start = (1 + error) * variances if name == "signal" else variances
            wrong = eigendyn.simulate(**given | {name: changed.tolist(), "variances": start})
            verdict = agreement(wrong, descent, FALSE_ALARM).attrs["verdict"]
            assert verdict == "disagrees", (name, error)
