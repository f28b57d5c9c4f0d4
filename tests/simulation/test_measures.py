"""Claims about what a training loop prints, against networks' losses and draws of our own."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import eigendyn
from eigendyn.network.losses import sample_losses
from eigendyn.show.report.run import summary, table
from eigendyn.simulation import measures as measured
from eigendyn.simulation.equations import equations
from eigendyn.simulation.measures import expected_loss, normalised_squares
from eigendyn.theory.loss_text import parse_loss

START = np.array([0.05, 0.3, 1.0, 2.0])
DRAWS = 400_000


def drawn(start, sigma1, sigma2, seed=0):
    """Two noisy views of Gaussian inputs (modes, samples)."""
    rng = np.random.default_rng(seed)
    x, *noise = rng.standard_normal((3, len(start), DRAWS))
    scale = np.sqrt(start)[:, None]
    return scale * (x + sigma1 * noise[0]), scale * (x + sigma2 * noise[1])


@pytest.mark.parametrize(
    ("loss", "stopped"),
    [
        *(("euclidean", True), ("cosine", False), ("iso-euclidean", False), ("iso-cosine", True)),
        *(
            pytest.param(*pair, marks=pytest.mark.full)  # a loss has the value that it had stopped
            for pair in (
                *(("euclidean", False), ("cosine", True)),
                *(("iso-euclidean", True), ("iso-cosine", False)),
            )
        ),
    ],
)
def test_the_expected_loss_is_the_mean_of_the_networks_losses(loss, stopped):
    sigma1, sigma2, alpha = 0.3, 0.1, 0.5
    settings = {"sigma1": sigma1, "sigma2": sigma2, "alpha": alpha, "stop_gradient": stopped}
    run = eigendyn.simulate(loss, START, steps=2, saves=2, **settings)
    views = map(jnp.asarray, drawn(START, sigma1, sigma2))
    losses = sample_losses(loss, *views, jnp.diag(jnp.asarray(START**alpha)), None, stopped)
    expected, error = np.mean(losses), np.std(losses) / np.sqrt(DRAWS)
    assert abs(run.expected_loss[0] - expected) < 4 * error
    assert run.expected_loss.attrs["error"] < 1e-6


def test_the_loss_of_a_learned_predictor_and_an_averaged_target_has_their_states():
    """λ = p, z2 = ξ x2: E[ℓ] = ½ Σ (p² s² (1+σ1²) − 2 p s ξ + ξ² (1+σ2²))."""
    run = eigendyn.simulate(
        "euclidean", START, predictor="learned", target="ema", sigma1=0.2, sigma2=0.1, steps=50
    )
    s, xi, p = (run[n].values for n in ("singular_value", "target_value", "predictor_value"))
    expected = 0.5 * (p**2 * s**2 * 1.04 - 2 * p * s * xi + xi**2 * 1.01).sum(axis=0)
    np.testing.assert_allclose(run.expected_loss, expected, rtol=1e-12)


def test_the_mean_field_names_its_loss_an_approximation():
    run = eigendyn.simulate("cosine", START, closure="mean-field", steps=2, saves=2, sigma2=0.1)
    numbers = (START**2).sum() / np.sqrt((START**3).sum() * (START * 1.01).sum())
    np.testing.assert_allclose(run.expected_loss[0], -numbers, rtol=1e-12)
    assert run.expected_loss.attrs["closure"] == "mean field"
    assert np.isnan(run.expected_loss.attrs["error"])


@pytest.mark.parametrize("closure", ["sampled", "auto"])
def test_a_sampled_loss_comes_with_its_standard_error(closure):
    """The root of one more has no exact expectation; a sampled run samples its loss too."""
    loss = "cosine" if closure == "sampled" else parse_loss("sqrt(1 + sum((z1 - sg(z2))**2))", {})
    run = eigendyn.simulate(loss, START, closure=closure, steps=2, saves=2, samples=5000)
    z1, z2 = drawn(START, 0.0, 0.1)
    p = START[:, None] * z1
    losses = -(p * z2).sum(0) / np.linalg.norm(p, axis=0) / np.linalg.norm(z2, axis=0)
    if closure == "auto":
        losses = np.sqrt(1 + ((z1 - z2) ** 2).sum(axis=0))
    error = run.expected_loss.attrs["error"]
    assert run.expected_loss.attrs["closure"] == "sampled"
    assert error == pytest.approx(losses.std() / np.sqrt(5000), rel=0.1)
    assert abs(run.expected_loss[0] - losses.mean()) < 4 * error


def test_the_loss_falls_while_it_is_descended():
    run = eigendyn.simulate("cosine", START, stop_gradient=False, predictor="none", steps=100)
    assert (np.diff(run.expected_loss) < 0).all()


def test_many_modes_take_compiled_code_to_the_same_loss(monkeypatch):
    spectrum = np.geomspace(0.01, 2, 8)
    plain = eigendyn.simulate("cosine", spectrum, steps=10, saves=3)
    monkeypatch.setattr(measured, "FEW", 0)
    compiled = eigendyn.simulate("cosine", spectrum, steps=10, saves=3)
    for name in ("expected_loss", "normalised_deviation"):
        np.testing.assert_allclose(compiled[name], plain[name], rtol=1e-12)


@pytest.mark.parametrize(
    "variances", [[1.0], [2.0] * 500, [1.0, 0.0, 0.0], np.geomspace(1e-9, 1, 40), START]
)
def test_squares_of_normalised_coordinates_sum_to_one_and_are_those_of_a_draw(variances):
    variances = np.asarray(variances)
    found, missing = normalised_squares(np.sqrt(variances)[:, None])
    assert missing < 1e-10
    z = np.sqrt(variances)[:, None] * np.random.default_rng(1).standard_normal(
        (len(variances), 20_000)
    )
    squares = z**2 / (z**2).sum(axis=0)
    error = squares.std(axis=1) / np.sqrt(20_000)
    assert (np.abs(found[:, 0] - squares.mean(axis=1)) <= 5 * error + 1e-9).all()


def test_ranks_count_the_modes_that_share_the_variance():
    run = eigendyn.simulate("euclidean", [1.0, 1.0, 1.0, 0.0], steps=2, saves=2)
    np.testing.assert_allclose(run.effective_rank, 3, rtol=1e-12)
    np.testing.assert_allclose(run.participation_ratio, 3, rtol=1e-12)
    np.testing.assert_allclose(run.normalised_deviation[:3], np.sqrt(4 / 3), rtol=1e-9)
    assert (run.normalised_deviation[3] == 0).all()


def test_every_measure_says_what_it_is():
    run = eigendyn.simulate("euclidean", START, steps=2, saves=2)
    assert "Roy & Vetterli 2007" in run.effective_rank.attrs["long_name"]
    for name in ("expected_loss", "participation_ratio", "normalised_deviation"):
        assert run[name].attrs["long_name"]
        assert run[name].attrs["units"] == "1"


def test_reports_say_them_at_start_and_end():
    run = eigendyn.simulate("euclidean", START, steps=20)
    told = json.loads(json.dumps(summary(run), allow_nan=False))
    loss = run.expected_loss.values
    assert told["expected_loss"]["initial"] == loss[0]
    assert told["expected_loss"]["final"] == loss[-1]
    assert told["effective_rank"]["final"] == run.effective_rank.values[-1]
    line = next(line for line in table(run).splitlines() if line.startswith("E[loss]"))
    assert f"{loss[0]:.6g} → {loss[-1]:.6g}, exact moments" in line
    assert "effective rank" in table(run)


def test_a_sampled_loss_has_no_value_where_all_modes_have_collapsed():
    """A ratio of lengths: the designs from cosine are such, and weight decay takes them there."""
    loss = parse_loss("sum((z1 - sg(z1 + z2/norm(z2)))**2)/norm(z1)**2", {})
    system = equations(loss, {"closure": "sampled", "samples": 200})
    states = np.array([[[0.3, 0.0], [0.8, 0.0]]])
    noises = {"sigma1": 0.1, "sigma2": 0.1}
    times = np.array([0.0, 1.0])
    value, error = expected_loss(system.value, states, times, noises, system.chosen)
    assert np.isfinite(value[0])
    assert np.isnan(value[1])
    assert error > 0
