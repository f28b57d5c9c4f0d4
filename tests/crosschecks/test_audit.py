"""Claims about audits of update rules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structures import first_of, full_but

from eigendyn.crosschecks.audit import audit, published_no_stop_gradient
from eigendyn.errors import EigendynError
from eigendyn.network.losses import sample_losses
from eigendyn.settings.choices import LOSS_NAMES

VARIANTS = [
    {"stop_gradient": False},
    {},
    {"predictor": "none"},
    {"predictor": "none", "stop_gradient": False},
    {"alpha": 0.5},
]

QUICK = {"euclidean", "iso-cosine"}  # a plain loss and an isotropic one, with roots and without


def failed(found):
    return {check.name for check in found.checks if not check.passed}


@pytest.mark.parametrize("variant", first_of(*VARIANTS))
@pytest.mark.parametrize("loss", full_but({name: name for name in LOSS_NAMES}, QUICK))
def test_what_is_derived_passes(loss, variant):
    found = audit(loss, **variant)
    assert failed(found) == set()
    assert max(check.error for check in found.checks) < 1e-12


@pytest.mark.parametrize("loss", first_of("cosine", "euclidean"))
def test_the_family_passes(loss):
    found = audit(loss, beta=0.5, alpha=2.0)
    assert found.passed
    if loss == "cosine":
        assert any("sum of variance^2" in check.finding for check in found.checks)


@pytest.mark.full  # the command says as much: tests/cli/test_crosscheck_command.py
def test_the_published_update_without_stop_gradient_is_flagged():
    found = audit("cosine", "published-no-stop-gradient", stop_gradient=False)
    assert failed(found) == {"gradient", "online branch", "target branch", "conservation"}
    errors = {check.name: check.error for check in found.checks}
    assert errors["gradient"] > 1
    assert "Nothing reaches the target branch" in " ".join(c.finding for c in found.checks)


def test_the_published_update_is_what_its_source_says():
    """With one sample, by plain loops over the modes."""
    rng = np.random.default_rng(0)
    weights, x1, x2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1)), rng.normal(size=(3, 1))
    lam = np.array([0.3, 1.7])
    z1, z2 = (weights @ x1)[:, 0], (weights @ x2)[:, 0]
    p_norm, z_norm = np.sqrt(sum((lam * z1) ** 2)), np.sqrt(sum(z2**2))
    overlap = sum(lam * z1 * z2)
    online = [lam[m] * (z2[m] * p_norm**2 - lam[m] * z1[m] * overlap) for m in range(2)]
    target = [lam[m] * z1[m] * p_norm**2 - z2[m] * overlap for m in range(2)]
    expected = np.outer(np.add(online, target), x1[:, 0]) / (p_norm**3 * z_norm)
    found = published_no_stop_gradient(*map(jnp.asarray, (weights, x1, x2, np.diag(lam))))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def _gradient(name, stops):
    def rule(weights, x1, x2, predictor):
        def mean_loss(w):
            return sample_losses(name, w @ x1, w @ x2, predictor, None, stops).mean()

        return -jax.grad(mean_loss)(weights)

    return rule


@pytest.mark.full
def test_a_rule_of_ones_own_passes_where_it_is_the_gradient():
    assert audit("cosine", _gradient("cosine", True)).passed
    assert failed(audit("cosine", _gradient("cosine", False))) == {"gradient", "target branch"}
    found = audit("cosine", _gradient("cosine", True), stop_gradient=False)
    assert failed(found) == {"gradient", "target branch"}


def test_a_leaking_target_is_named():
    found = audit("euclidean", _gradient("euclidean", False))
    finding = next(check.finding for check in found.checks if check.name == "target branch")
    assert "yet it gets" in finding


@pytest.mark.full
def test_a_factor_keeps_what_the_loss_conserves_and_is_no_gradient():
    def rule(*arguments):
        return 1.02 * _gradient("cosine", True)(*arguments)

    found = audit("cosine", rule)
    assert failed(found) == {"gradient", "online branch"}
    assert found.checks[0].error == pytest.approx(0.02)


def test_an_update_that_does_not_shrink_with_scale_is_flagged():
    def rule(weights, x1, x2, predictor):
        length = jnp.linalg.norm(weights)
        return length * _gradient("cosine", True)(weights, x1, x2, predictor)

    assert "scale" in failed(audit("cosine", rule))


def test_an_update_that_is_not_finite_is_flagged():
    found = audit("cosine", lambda weights, *_: jnp.nan * weights)
    assert {"gradient", "online branch", "scale", "conservation"} <= failed(found)


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("cosin",), {}, "Did you mean 'cosine'"),
        (("cosine", "publishd"), {}, "Known: derived"),
        (("cosine", lambda w, *_: w.T), {}, "shape of the weights"),
        (("cosine",), {"alpha": 0}, "> 0"),
        (("cosine",), {"tolerance": 0}, "between 0 and 1"),
        (("iso-cosine",), {"beta": 0.5}, "family of cosine at β = 1"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(arguments, settings, said):
    with pytest.raises(EigendynError, match=said):
        audit(*arguments, **settings)
