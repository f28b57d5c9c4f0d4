"""Claims about runs that go on from where another ended."""

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import EigendynError, InvalidSetting
from eigendyn.settings.states import STATES

VARIANCES = [0.05, 0.3, 1.0, 2.0]
PARTS = {
    "uncoupled": {"loss": "euclidean", "method": "steps", "weight_decay": 0.05},
    "nodes": {"loss": "cosine", "method": "steps", "weight_decay": 0.01},
    "predictor, target and velocities": {
        "loss": "euclidean",
        "predictor": "learned",
        "target": "ema",
        "momentum": 0.5,
    },
    "running correlation": {"loss": "euclidean", "predictor": "running", "method": "steps"},
    "samples": {"loss": "cosine", "closure": "sampled", "samples": 200, "method": "steps"},
    "half the digits": {"loss": "euclidean", "dtype": "float32", "method": "steps"},
}


def both(cut, whole, **settings):
    """A run that goes on after a cut, and at its times one that was not cut."""
    first = eigendyn.simulate(variances=VARIANCES, steps=cut, saves=11, **settings)
    more = eigendyn.simulate(start=first, steps=whole, saves=11)
    uncut = eigendyn.simulate(variances=VARIANCES, steps=whole, saves=whole + 1, **settings)
    return first, more, uncut.isel(time=more["step"].values.astype(int))


@pytest.mark.parametrize("parts", PARTS)
def test_steps_that_go_on_are_bit_by_bit_those_of_a_run_that_was_not_cut(parts):
    _, more, uncut = both(20, 40, **PARTS[parts])
    states = [name for name in more if name in STATES]
    assert len(states) == len(uncut[states])
    for name in (*states, "variance", "time", "step", "predictor_eigenvalue"):
        np.testing.assert_array_equal(more[name], uncut[name])
    assert more["step"].values[[0, -1]].tolist() == [20, 40]


@pytest.mark.parametrize("method", ["compiled", "implicit", "closed-form"])
def test_a_flow_that_goes_on_is_one_that_was_not_cut_within_its_tolerance(method):
    _, more, uncut = both(20, 60, loss="euclidean", method=method)
    np.testing.assert_allclose(more["variance"], uncut["variance"], rtol=1e-9)
    np.testing.assert_array_equal(more["time"], uncut["time"])


def test_a_mode_that_comes_later_is_recruited_at_the_time_of_the_whole_run():
    first, more, _ = both(60, 200, loss="euclidean", method="steps")
    whole = eigendyn.simulate("euclidean", VARIANCES, steps=200, method="steps")
    assert float(first["time"][-1]) < float(whole["recruitment_time"][0])
    np.testing.assert_allclose(more["recruitment_time"][0], whole["recruitment_time"][0])
    assert more["outcome"][0] == "recruited"
    assert (more["recruitment_time"] >= first["time"][-1]).all()


def test_settings_may_change_where_a_run_goes_on():
    first = eigendyn.simulate("euclidean", VARIANCES, steps=100)
    more = eigendyn.simulate(start=first, steps=2000, weight_decay=0.4)
    assert float(more["variance"][:, 0].min()) == float(first["variance"][:, -1].min())
    assert (more["outcome"] == "collapsed").all()


def test_a_written_loss_is_known_again():
    loss = eigendyn.parse_loss("sum((lam*z1 - gamma*sg(z2))**2) / 2", {"gamma": 0.8})
    first = eigendyn.simulate(loss, VARIANCES, steps=20, method="steps")
    uncut = eigendyn.simulate(loss, VARIANCES, steps=40, method="steps")
    more = eigendyn.simulate(start=first, steps=40)
    np.testing.assert_array_equal(more["variance"][:, -1], uncut["variance"][:, -1])


def test_what_has_ended_goes_on_from_its_last_state_again():
    first = eigendyn.simulate("euclidean", VARIANCES, steps=10, method="steps")
    twice = eigendyn.simulate(start=eigendyn.simulate(start=first, steps=20), steps=30)
    whole = eigendyn.simulate("euclidean", VARIANCES, steps=30, method="steps")
    np.testing.assert_array_equal(twice["variance"][:, -1], whole["variance"][:, -1])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "has come to step 20"),
        ({"steps": 20}, r"Try `steps=40`"),
        ({"steps": 30, "learning_rate": 0.2}, "Time is learning rate × step"),
        ({"steps": 30, "target": "ema"}, "has the states singular_value, target_value"),
        ({"steps": 30, "target": "ema", "ema_schedule": "cosine"}, "at a momentum of 1"),
        ({"steps": 30, "variances": [1.0, 2.0]}, "Leave out `variances`"),
        ({"steps": 30, "preset": "byol"}, "Leave out `preset`"),
    ],
)
def test_what_cannot_go_on_is_refused_in_a_sentence(settings, words):
    first = eigendyn.simulate("euclidean", VARIANCES, steps=20)
    with pytest.raises(InvalidSetting, match=words):
        eigendyn.simulate(start=first, **settings)


@pytest.mark.parametrize("given", [5, [0.1, 1.0]])
def test_only_a_run_goes_on(given):
    with pytest.raises(EigendynError, match="simulate"):
        eigendyn.simulate(start=given, steps=30)


def test_a_model_of_ones_own_is_given_again():
    from eigendyn.theory.symbols import mode_sum
    from eigendyn.theory.symbols import singular_value as s

    model = eigendyn.theory.ModeDynamics("own", states=(s,), rates=(s * (1 - mode_sum(s**2)),))
    first = eigendyn.simulate(model, VARIANCES, steps=20)
    with pytest.raises(InvalidSetting, match="Give it again"):
        eigendyn.simulate(start=first, steps=30)
    assert eigendyn.simulate(model, start=first, steps=30)["step"][-1] == 30
