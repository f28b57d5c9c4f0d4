"""Claims about written losses on a network's side."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.crosschecks.crosscheck import crosscheck
from eigendyn.crosschecks.verdict import agreement
from eigendyn.errors import EigendynError, InvalidExpression
from eigendyn.network.losses import sample_losses
from eigendyn.network.network import Network
from eigendyn.network.written import written_losses
from eigendyn.program.in_jax import compile_expressions
from eigendyn.settings.spectrum import random_weights, variances_from_weights
from eigendyn.simulation.simulate import simulate
from eigendyn.theory import symbols as sym
from eigendyn.theory.loss_text import parse_loss

TEXTS = {
    "euclidean": "sum((lam*z1 - sg(z2))**2) / 2",
    "cosine": "-sum(lam*z1*sg(z2)) / (norm(lam*z1) * norm(sg(z2)))",
    "iso-euclidean": "sum((z1 - sg(z2 + z1 - lam*z1))**2) / 2",
    "iso-cosine": (
        "-sum(z1*sg(z2/(norm(lam*z1)*norm(z2)) - sum(lam*z1*z2)*lam*z1/(norm(lam*z1)**3*norm(z2))))"
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_the_value_and_gradient_of_the_loss_that_it_writes(name):
    rng = np.random.default_rng(0)
    z1, z2 = jnp.asarray(rng.normal(size=(2, 4, 5)))
    eigenvalues = jnp.asarray(rng.uniform(0.2, 2, 4))

    def written(z1, z2):
        return written_losses(TEXTS[name], {}, z1, z2, eigenvalues).sum()

    def named(z1, z2):
        return sample_losses(name, z1, z2, jnp.diag(eigenvalues), None, True).sum()

    (value, slopes), (expected, gradients) = (
        jax.jit(jax.value_and_grad(side, (0, 1)))(z1, z2) for side in (written, named)
    )
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    for ours, theirs in zip(slopes, gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_parameters_and_the_number_of_modes_are_known():
    z = jnp.ones((3, 2))
    found = written_losses("gamma*sum(1) + sum(z1*z2)/sum(1)", {"gamma": 2.0}, z, z, jnp.ones(3))
    np.testing.assert_allclose(found, [7.0, 7.0])


@pytest.mark.parametrize(
    "text",
    [
        "norm(2)*sum(z1*z2)",
        "norm(norm(z1)) + sum(sum(z1*z2))",
        "norm(sum(z1**2))*sqrt(norm(1))/norm(sg(lam))",
        "sum(sqrt(z1**2)*sqrt((lam*z1 - z2)**2))",
    ],
)
def test_both_sides_count_what_is_the_same_for_all_modes_alike(text):
    views = np.random.default_rng(0).normal(size=(2, 3, 5))
    eigenvalues = np.array([0.4, 1.0, 1.7])
    expression = sym.release(parse_loss(text).expression)
    run = compile_expressions([sym.z1, sym.z2, sym.lam, sym.modes], [expression])
    ours = run(*views.swapaxes(1, 2), eigenvalues, 3)[0]
    theirs = written_losses(text, {}, *jnp.asarray(views), jnp.asarray(eigenvalues))
    np.testing.assert_allclose(np.ravel(ours), theirs, rtol=1e-13)


@pytest.mark.parametrize(
    "text", ["z1.shape", "abs(z1)", "sum(z1, z2)", "[z1]", "q*z1", "z1 // 2", "sum(", "'a'"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidExpression, match="network"):
        written_losses(text, {}, jnp.ones((2, 2)), jnp.ones((2, 2)), jnp.ones(2))


def test_a_name_that_is_no_loss_is_refused_by_its_name():
    with pytest.raises(EigendynError, match="Did you mean 'cosine'"):
        Network(loss="cosin")


@pytest.mark.full  # above: its value and gradient; crosschecks/test_crosscheck.py: sides that agree
def test_a_loss_of_ones_own_agrees_with_networks():
    text = "sum((lam*z1 - sg(z2))**2)/(gamma + sum(sg(z2)**2))"
    run = {"steps": 100, "saves": 11, "sigma1": 0.2, "sigma2": 0.3}
    run |= {"predictor": "learned", "target": "ema"}
    loss, weights = parse_loss(text, {"gamma": 0.7}), random_weights(4, 6)
    tree = crosscheck(loss, weights, batch=1_000, seeds=6, **run)
    assert tree["agreement"].attrs["verdict"] == "agrees"
    wrong = parse_loss(text.replace("lam*z1", "1.1*lam*z1"), {"gamma": 0.7})
    theory = simulate(wrong, variances_from_weights(weights), method="steps", **run)
    assert agreement(theory, tree["descent"].to_dataset()).attrs["verdict"] == "disagrees"
