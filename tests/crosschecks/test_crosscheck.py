"""Claims about theory beside networks."""

import numpy as np
import pytest
import xarray
from structures import first_of

import eigendyn
from eigendyn.crosschecks.crosscheck import crosscheck
from eigendyn.crosschecks.verdict import agreement
from eigendyn.errors import EigendynError
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.spectrum import random_weights, weights_from_variances
from eigendyn.theory.symbols import lam, mode_sum, norm, stop_gradient, z1, z2

WEIGHTS = random_weights(4, 6)
VARIANCES = eigendyn.spectrum.from_weights(WEIGHTS)
THEORY = {"method": "steps", "steps": 200, "saves": 21, "sigma1": 0.2, "sigma2": 0.3}
SETTINGS = {"steps": 200, "saves": 21, "sigma1": 0.2, "sigma2": 0.3, "batch": 2_000}


@pytest.fixture(scope="module", params=first_of("euclidean", "cosine"))
def tree(request):
    return crosscheck(request.param, WEIGHTS, **SETTINGS)


def judge(tree, loss, **changes):
    wrong = eigendyn.simulate(loss, VARIANCES, **THEORY | changes)
    return agreement(wrong, tree["descent"].to_dataset()).attrs


def test_the_theory_agrees_with_networks(tree):
    attrs = tree["agreement"].attrs
    assert attrs["verdict"] == "agrees"
    assert attrs["largest_deviation"] < 4
    assert attrs["median_relative_deviation"] < 5e-3
    assert attrs["comparisons"] == 4 * 20


def test_a_missing_stop_gradient_is_caught(tree):
    attrs = judge(tree, tree["theory"].attrs["loss"], stop_gradient=False)
    assert attrs["verdict"] == "disagrees"
    assert attrs["largest_deviation"] > 8


def test_a_factor_of_1_02_in_one_term_is_caught(tree):
    if tree["theory"].attrs["loss"] == "cosine":
        p, t = norm(lam * z1), norm(z2)
        second = 1.02 * mode_sum(lam * z1 * z2) * lam * z1 / (p**3 * t)
        direction = z2 / (p * t) - second
    else:
        direction = z2 - 1.02 * lam * z1
    wrong = eigendyn.SymbolicLoss("wrong", -mode_sum(z1 * stop_gradient(lam * direction)))
    attrs = judge(tree, wrong)
    assert attrs["verdict"] == "disagrees"


def test_noise_on_the_wrong_view_is_caught_where_it_matters(tree):
    """The cosine loss does not see a view's length, so that the noises count alike there."""
    loss = tree["theory"].attrs["loss"]
    attrs = judge(tree, loss, sigma1=0.3, sigma2=0.2)
    assert attrs["verdict"] == {"cosine": "agrees", "euclidean": "disagrees"}[loss]


@pytest.mark.full  # as the command line catches it: tests/cli/test_crosscheck_command.py
def test_the_mean_field_is_caught():
    found = crosscheck("cosine", WEIGHTS, closure="mean-field", **SETTINGS)
    assert found["agreement"].attrs["verdict"] == "disagrees"


@pytest.mark.full
def test_sides_that_do_not_move_agree():
    found = crosscheck(
        "iso-cosine", WEIGHTS, predictor="none", stop_gradient=False, steps=3, saves=3, batch=8
    )
    assert found["agreement"].attrs["verdict"] == "agrees"


@pytest.mark.full  # the command line's test says as much of what it says
def test_a_diverging_network_says_where_and_what_would_be_stable():
    found = crosscheck("euclidean", 4 * WEIGHTS, learning_rate=5.0, steps=40, batch=50)
    assert found["agreement"].attrs["verdict"] == "diverged"
    message = found["descent"].attrs["message"]
    assert "diverged between steps" in message
    assert "stable up to a learning rate of" in message
    limit = float(message.partition("learning rate of ")[2].split()[0].rstrip("."))
    assert 0 < limit < 1.01
    stable = crosscheck("euclidean", 4 * WEIGHTS, learning_rate=0.9 * limit, steps=40, batch=2_000)
    assert stable["descent"].attrs["status"] == "completed"


def test_the_tree_holds_both_sides_and_survives_a_file(tree, tmp_path):
    eigendyn.save(tree, tmp_path / "check.nc")
    again = eigendyn.load(tmp_path / "check.nc")
    assert set(again.children) == {"theory", "descent", "agreement"}
    assert again["agreement"].attrs["verdict"] == "agrees"
    for group in again.children:
        xarray.testing.assert_equal(again[group].to_dataset(), tree[group].to_dataset())
    assert again["descent"]["singular_value"].dims == ("seed", "mode", "time")
    assert sorted(set(again["descent"]["batch"].values)) == [500, 2_000]


def test_a_tree_is_not_saved_as_a_table(tree, tmp_path):
    with pytest.raises(EigendynError, match=r"must end in \.nc"):
        eigendyn.save(tree, tmp_path / "check.csv")


def test_assumptions_of_the_theory_are_measured(tree):
    descent = tree["descent"]
    assert descent["off_mode_share"].max() < 0.05
    assert descent["commutator"].max() < 1e-12
    np.testing.assert_allclose(descent["alignment"], 1, rtol=1e-10)
    assert descent["effective_rank"][:, -1].mean() > descent["effective_rank"][:, 0].mean()


def test_the_published_preset_has_the_published_settings():
    cosine, euclidean = (preset_settings("published", name) for name in ("cosine", "euclidean"))
    assert (cosine["learning_rate"], euclidean["learning_rate"]) == (0.1, 0.01)
    assert cosine["batch"] == 50_000
    assert preset_settings("published", "euclidean", predictor="none")["steps"] == 100_000


@pytest.mark.full  # trains ten modes
def test_the_published_preset_has_the_published_start():
    found = crosscheck("cosine", preset="published", steps=2, saves=2, batch=8, seeds=2)
    assert found["theory"].sizes["mode"] == 10


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("cosin",), {}, "Did you mean 'cosine'"),
        (("cosine", np.ones((3, 2))), {}, "at least as many inputs"),
        (("cosine", np.full((2, 3), np.nan)), {}, "finite"),
        (("cosine",), {"batch": 1}, "≥ 8, not 1"),
        (("cosine",), {"batch": 0}, "≥ 8, not 0"),
        (("cosine",), {"seeds": 1}, "≥ 2, not 1"),
        (("cosine",), {"false_alarm": 0}, "between 0 and 1"),
        (("cosine",), {"preset": "publishd"}, "Did you mean 'published'"),
        (("cosine",), {"method": "flow"}, "leave out the method"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(arguments, settings, said):
    with pytest.raises(EigendynError, match=said):
        crosscheck(*arguments, **settings)


def test_weights_of_a_spectrum_have_it():
    weights = weights_from_variances([0.3, 2.0])
    np.testing.assert_allclose(np.linalg.svd(weights, compute_uv=False) ** 2, [2.0, 0.3])
