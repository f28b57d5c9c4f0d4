"""Claims about the verb simulate."""

import json

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.errors import InvalidSetting, InvalidSpectrum, NoClosedForm, UnknownName
from eigendyn.theory import symbols as sym


def test_auto_takes_the_closed_form_where_there_is_one():
    assert eigendyn.simulate("euclidean").attrs["method"] == "closed-form"
    assert eigendyn.simulate("cosine", steps=10).attrs["method"] == "compiled"
    assert eigendyn.simulate("euclidean", beta=0.5, steps=10).attrs["method"] == "compiled"


def test_a_closed_form_that_does_not_exist_is_refused():
    with pytest.raises(NoClosedForm, match="method='flow'"):
        eigendyn.simulate("cosine", method="closed-form")


@pytest.mark.parametrize("closure", ["exact", "mean-field", "sampled"])
def test_the_result_names_its_closure_and_its_error(closure):
    run = eigendyn.simulate("cosine", closure=closure, steps=20)
    names = {"exact": "exact quadrature", "mean-field": "mean field", "sampled": "sampled"}
    assert run.attrs["closure"] == names[closure]
    error = run.attrs["closure_error"]
    assert np.isnan(error) if closure == "mean-field" else 0 < error < 1e-2


def test_sampled_and_exact_runs_agree_within_the_sampling():
    exact, sampled = (
        eigendyn.simulate("iso-cosine", closure=closure, steps=100)
        for closure in ("exact", "sampled")
    )
    deviation = np.abs(sampled.variance / exact.variance - 1).max()
    assert 1e-6 < deviation < 0.05


def test_isotropic_losses_are_the_family_at_one():
    start = [0.1, 0.6, 1.5]
    iso = eigendyn.simulate("iso-cosine", start, steps=50, method="compiled")
    family = eigendyn.simulate("cosine", start, beta=1.0, steps=50, method="compiled")
    np.testing.assert_allclose(iso.variance, family.variance, rtol=1e-10)


def test_modes_keep_their_input_order():
    start = [1.5, 0.1, 0.6]
    run = eigendyn.simulate("cosine", start, steps=30)
    np.testing.assert_allclose(run.variance[:, 0], start, rtol=1e-15)
    other = eigendyn.simulate("cosine", sorted(start), steps=30)
    np.testing.assert_allclose(np.sort(run.variance[:, -1]), other.variance[:, -1], rtol=1e-12)


@pytest.mark.parametrize("method", ["compiled", *first_of("steps", "flow")])
def test_a_mode_without_variance_stays_without(method):
    for loss in ("iso-cosine", "iso-euclidean", "cosine"):
        run = eigendyn.simulate(loss, [0.0, 0.5, 1.0], method=method, steps=20)
        assert (run.variance[0] == 0).all()
        assert np.isfinite(run.variance).all()


@pytest.mark.parametrize("method", first_of("steps", "flow"))
def test_float32_is_close_to_float64_and_says_what_it_is(method):
    double = eigendyn.simulate("cosine", method=method, steps=200)
    single = eigendyn.simulate("cosine", method=method, steps=200, dtype="float32")
    assert single.attrs["dtype"] == "float32"
    np.testing.assert_allclose(single.variance, double.variance, rtol=1e-3)


def test_settings_travel_with_the_result_and_replay_it():
    run = eigendyn.simulate("cosine", [0.3, 1.0], alpha=0.5, sigma1=0.2, steps=40)
    replayed = eigendyn.simulate(variances=[0.3, 1.0], **json.loads(run.attrs["settings"]))
    np.testing.assert_array_equal(replayed.variance, run.variance)


def test_a_loss_of_ones_own_runs():
    ratio = -sym.mode_sum(sym.z1 * sym.stop_gradient(sym.z2)) / sym.norm(sym.z1)
    run = eigendyn.simulate(eigendyn.SymbolicLoss("mine", ratio), [0.5, 1.0], steps=20)
    assert run.attrs["loss"] == "mine"
    assert run.attrs["closure"] == "exact quadrature"


def test_a_loss_of_ones_own_brings_its_parts_with_it():
    with pytest.raises(InvalidSetting, match="without_stop_gradient"):
        eigendyn.simulate(eigendyn.named_loss("cosine"), [0.5, 1.0], stop_gradient=False)


def test_refusals_have_their_class():
    with pytest.raises(UnknownName):
        eigendyn.simulate("cosin")
    with pytest.raises(InvalidSpectrum):
        eigendyn.simulate("cosine", [])
    with pytest.raises(InvalidSetting):
        eigendyn.simulate("cosine", alpha=-1.0)


def test_nodes_follow_a_trajectory_that_leaves_the_spectra_they_were_chosen_for():
    run = eigendyn.simulate("cosine", [1.0, 0.9, 0.8], stop_gradient=False, steps=600)
    assert run.attrs["status"] == "completed"
    tight = eigendyn.simulate(
        "cosine", [1.0, 0.9, 0.8], stop_gradient=False, steps=600, closure_accuracy=1e-12
    )
    np.testing.assert_allclose(run.variance, tight.variance, rtol=1e-6)


@pytest.mark.parametrize("predictor", ["learned", "running", "copy"])
def test_a_loss_without_an_eigenvalue_has_no_such_predictor(predictor):
    with pytest.raises(InvalidSetting, match=r"write lam\*z1"):
        eigendyn.simulate(eigendyn.parse_loss("sum(z1*sg(z2))"), predictor=predictor)
