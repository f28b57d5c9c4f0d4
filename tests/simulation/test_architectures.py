"""Claims about predictors, targets and momentum: the parts of a Siamese network around a loss."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.network.network import Network
from eigendyn.network.predictors import predictor_power
from eigendyn.results.dataset import kept_quantities
from eigendyn.settings.choices import PREDICTORS, PRESETS
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Architecture
from eigendyn.theory import symbols as sym
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.derive import descent_directions, mode_dynamics, predictor_direction
from eigendyn.theory.losses import named_loss

START = np.array([0.1, 0.6, 1.3])
NOISES = {"sigma1": 0.3, "sigma2": 0.2}
C = 1 + NOISES["sigma1"] ** 2
RUN = {"method": "steps", "steps": 40, "saves": 41, "learning_rate": 0.1, **NOISES}


@pytest.mark.parametrize("loss", ["cosine", "euclidean"])
def test_the_flow_is_the_limit_of_the_steps(loss):
    """Averages keep their time constants η/(1 − momentum) when the learning rate falls."""
    given = {"predictor": "learned", "target": "ema", "momentum": 0.0}
    ends = []
    for learning_rate, ema in ((0.1, 0.8), (0.05, 0.9)):
        settings = {"learning_rate": learning_rate, "steps": round(4 / learning_rate), "ema": ema}
        flow, steps = (
            eigendyn.simulate(loss, START, method=method, **given, **settings, **NOISES)
            for method in ("compiled", "steps")
        )
        ends.append(float(abs(flow.variance[:, -1] - steps.variance[:, -1]).max()))
    assert 1.7 < ends[0] / ends[1] < 2.4


@pytest.mark.parametrize("name", ["cosine", "euclidean"])
def test_the_learned_predictors_direction_is_the_gradient(name):
    """Against automatic differentiation of the loss, written in JAX, by λ."""
    rng = np.random.default_rng(0)
    z1, z2, lam = rng.normal(size=(3, 4))
    lam = np.abs(lam) + 0.2

    def loss(lam):
        p = lam * z1
        if name == "euclidean":
            return 0.5 * jnp.sum((p - z2) ** 2)
        return -jnp.sum(p * z2) / (jnp.linalg.norm(p) * jnp.linalg.norm(z2))

    direction = predictor_direction(named_loss(name))
    compiled = eigendyn.program.in_jax.compile_expressions([sym.z1, sym.z2, sym.lam], [direction])
    (ours,) = compiled(z1, z2, lam)
    np.testing.assert_allclose(ours, -jax.grad(loss)(lam), rtol=1e-12)


def test_a_learned_predictor_and_the_encoder_share_their_gradient():
    for name in ("cosine", "euclidean"):
        loss = named_loss(name)
        own, _ = descent_directions(loss)
        assert sym.equal(sym.lam * predictor_direction(loss), sym.z1 * own)


def at_the_start(**settings):
    """A run whose closure does not matter: the predictor has its eigenvalues before any step."""
    return eigendyn.simulate("cosine", START, steps=1, closure="mean-field", **settings)


@pytest.mark.parametrize(
    ("predictor", "epsilon", "placement", "normalize"),
    [
        *itertools.product(["direct"], [0.0, 0.2], ["inside"], [False, True]),
        *itertools.product(["direct"], [0.2], ["outside"], [False, True]),
        ("copy", None, "inside", False),
        ("copy", 0.1, "outside", False),
    ],
)
def test_theory_and_network_have_the_same_predictor(predictor, epsilon, placement, normalize):
    settings = {
        "predictor": predictor,
        "alpha": 1.0 if predictor == "copy" else 0.7,
        "epsilon": epsilon,
        "epsilon_placement": placement,
        "normalize": normalize,
    }
    run = at_the_start(**settings)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    matrix = predictor_power(Network(**settings), rotation @ np.diag(START) @ rotation.T)
    expected = np.diag(rotation.T @ matrix @ rotation)
    np.testing.assert_allclose(run.predictor_eigenvalue[:, 0], expected, rtol=1e-12)


def test_directcopy_and_directpred_have_their_published_eigenvalues():
    share = START / START.max()
    run = at_the_start(predictor="copy")
    np.testing.assert_allclose(run.predictor_eigenvalue[:, 0], share + 0.25, rtol=1e-14)
    given = {"alpha": 0.5, "epsilon": 0.1, "epsilon_placement": "outside"}
    run = at_the_start(**given)
    expected = np.sqrt(START) + 0.1 * np.sqrt(START.max())
    np.testing.assert_allclose(run.predictor_eigenvalue[:, 0], expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"predictor": "learned"}, 3),
        ({"predictor": "learned", "weight_decay": 0.1, "predictor_decay": 0.1}, 3),
        ({"predictor": "learned", "weight_decay": 0.1}, 2),
        ({"predictor": "copy"}, 1),
        ({"target": "ema"}, 1),
        ({"momentum": 0.5}, 0),
    ],
)
def test_what_the_cosine_loss_conserves_stays(settings, kept):
    run = eigendyn.simulate("cosine", START, method="compiled", steps=100, **settings)
    found = kept_quantities(run)
    assert len(found) == kept
    assert all(one.attrs["relative_drift"] < 1e-9 for one in found.values())


def test_the_isotropic_conservation_law_needs_a_power_of_the_variance():
    law = conserved_quantities(named_loss("iso-cosine"), 1)
    normalised = Architecture(normalize=True)
    assert conserved_quantities(named_loss("iso-cosine"), 1, architecture=normalised) == law
    for other in (Architecture(predictor="running"), Architecture(has_epsilon=True)):
        assert conserved_quantities(named_loss("iso-cosine"), 1, architecture=other) == ()


@pytest.mark.parametrize("name", ["iso-cosine", "iso-euclidean"])
def test_no_gradient_reaches_a_learned_predictor_behind_a_stop_gradient(name):
    with pytest.raises(InvalidSetting, match="no gradient reaches"):
        Settings(loss=name, predictor="learned")
    with pytest.raises(InvalidSetting, match="No gradient"):
        mode_dynamics(named_loss(name), 1, Architecture(predictor="learned"))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs(name):
    run = eigendyn.simulate(variances=START, preset=name, **({"steps": 30}))
    assert run.attrs["status"] == "completed"
    settings = preset_settings(name)
    settings.pop("batch", None)
    Settings(**settings)


def test_what_is_given_stands_before_the_preset():
    run = eigendyn.simulate("euclidean", START, preset="simsiam", steps=30, momentum=0.0)
    assert run.attrs["loss"] == "euclidean"
    assert "velocity" not in run
    assert "predictor_value" in run


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "published"])
def test_another_part_leaves_out_what_the_preset_says_of_its_own(name):
    ours = preset_settings(name)
    for predictor in PREDICTORS:
        if predictor != "learned" or ours["loss"] == "cosine":  # no gradient reaches that
            chosen = Settings(
                **preset_settings(name, predictor=predictor) | {"predictor": predictor}
            )
            assert chosen.target == ours.get("target", "shared")
    assert Settings(**preset_settings(name, target="shared") | {"target": "shared"}).ema is None
    same = preset_settings(name, None, ours.get("predictor"), ours.get("target"))
    assert same == ours


def test_the_flow_swings_and_fades_as_heavy_ball_does():
    """Eigenvalues near rest, against those of z² − (1 + μ − ηk) z + μ, one step of training."""
    momentum, rate, decay = 0.9, 0.1, 0.1
    settings = {"momentum": momentum, "learning_rate": rate, "weight_decay": decay, "sigma2": 0}
    field, _, numbers = eigendyn.vector_field("euclidean", [0.5], **settings)
    # rest: λ(1 − λ) = ω with λ = s²; the force's slope there is −k = 3λ − 5λ² − ω
    lam = (1 + np.sqrt(1 - 4 * decay)) / 2
    k = decay - 3 * lam + 5 * lam**2
    at_rest = np.array([[np.sqrt(lam)], [0.0]])
    jacobian = jax.jacfwd(lambda x: field(0.0, x.reshape(2, 1), numbers).ravel())(at_rest.ravel())
    flow = np.sort_complex(np.linalg.eigvals(jacobian))
    steps = np.sort_complex(np.log(np.roots([1, rate * k - 1 - momentum, momentum]) + 0j)) / rate
    np.testing.assert_allclose(flow.real, steps.real, rtol=1e-2)
    np.testing.assert_allclose(flow.imag, steps.imag, rtol=1e-2)


def test_heavy_momentum_ends_where_its_steps_do():
    """A mode that swings past zero and back; with a damping of order η too much it stays there."""
    v, momentum, rate, decay = np.array([2.03943, 0.93093]), 0.9, 0.1, 0.1
    s, u = np.sqrt(v), np.zeros(2)
    for _ in range(1500):
        u = momentum * u + s**3 * (1 - s**2) - decay * s
        s = s + rate * u
    settings = {"sigma1": 0, "sigma2": 0, "momentum": momentum, "weight_decay": decay}
    for method in ("auto", "compiled"):
        run = eigendyn.simulate("euclidean", v, method=method, learning_rate=rate, **settings)
        np.testing.assert_allclose(run.variance[:, -1], s**2, rtol=1e-9)
        np.testing.assert_allclose(run.variance[:, -1], 0.887298, rtol=1e-6)
        assert ("second order" in run.attrs["approximation"]) == (method == "compiled")


def test_momentum_reaches_further_in_the_same_time():
    slow = eigendyn.simulate("euclidean", [0.01], steps=500, method="steps", learning_rate=0.01)
    fast = eigendyn.simulate(
        "euclidean", [0.01], steps=500, method="steps", learning_rate=0.01, momentum=0.9
    )
    assert fast.variance[0, -1] > 2 * slow.variance[0, -1]
