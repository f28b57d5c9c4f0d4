"""Claims about the loss that a recorded spectrum implies, by routes that share nothing with it."""

import numpy as np
import pytest
from scipy.special import gammaln, hyp2f1

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.fitting.beside import beside
from eigendyn.fitting.implied import OTHERS, contributions, implied_loss
from eigendyn.fitting.second_moments import MEAN, moments
from eigendyn.recording.record import as_record, record

SIGMA = 0.3
C = 1 + SIGMA**2
FIRST = np.geomspace(1e-3, 2, 10)
EUCLIDEAN = {"sigma1": SIGMA, "sigma2": SIGMA, "learning_rate": 0.01}


def held(variance, noise1=SIGMA**2, noise2=SIGMA**2, **more):
    """A record of variances (modes, times) with noises of these shares."""
    variance = np.asarray(variance, float)
    measures = {"variance": variance, "noise1": noise1 * variance, "noise2": noise2 * variance}
    times = np.arange(variance.shape[1])
    return record(measures | more, times, times, title="made")


def by_hand(record):
    """½ Σ [λ² c11 − 2 λ c12 + c22], in NumPy."""
    v, p = record["variance"].values, record["predictor_eigenvalue"].values
    c11, c22 = v + record["noise1"].values, v + record["noise2"].values
    return 0.5 * (p**2 * c11 - 2 * p * v + c22).sum(axis=0)


@pytest.fixture(scope="module")
def filling():
    return eigendyn.simulate("euclidean", FIRST, steps=200_000, saves=101, **EUCLIDEAN)


def test_a_euclidean_loss_falls_and_then_rises_while_the_spectrum_fills(filling):
    loss, error = implied_loss("euclidean", moments(as_record(filling)))
    assert error == 0.0
    assert loss[[0, -1]] == pytest.approx([1.7408, 0.7916], abs=5e-5)
    at_rest = 0.5 * len(FIRST) * (1 / C**2 - 2 / C**2 + 1)  # λ = v = 1/c in every mode
    assert loss[-1] == pytest.approx(at_rest, rel=1e-3)
    early = eigendyn.simulate("euclidean", FIRST, steps=400, saves=401, **EUCLIDEAN)
    loss, _ = implied_loss("euclidean", moments(as_record(early)))
    assert loss.min() == pytest.approx(0.388, abs=5e-4)
    assert early["time"].values[np.argmin(loss)] == pytest.approx(1.5, abs=0.2)


def test_decay_beyond_the_fold_takes_the_loss_to_zero_with_all_modes():
    run = eigendyn.simulate("euclidean", FIRST, steps=6_000, weight_decay=0.24, **EUCLIDEAN)
    loss, _ = implied_loss("euclidean", moments(as_record(run)))
    assert 1 / (4 * C) < 0.24
    assert loss[-1] < 1e-4
    assert run["variance"].values[:, -1].max() < 1e-3


@pytest.mark.parametrize("modes", [1, 2, 4, 16, 2000])
def test_a_cosine_of_equal_modes_is_the_mean_correlation_coefficient(modes):
    """E cos of two Gaussian vectors with correlation ρ, by the hypergeometric function (Fisher)."""
    rho = 1 / C
    gammas = np.exp(2 * (gammaln((modes + 1) / 2) - gammaln(modes / 2)))
    exact = -rho * (2 / modes) * gammas * hyp2f1(0.5, 0.5, modes / 2 + 1, rho**2)
    loss, error = implied_loss("cosine", moments(held(np.ones((modes, 2))), 1.0).at([0]))
    assert loss[0] == pytest.approx(exact, abs=2e-6)
    assert error < 2e-6
    stated = {1: -0.7395, 2: -0.8449, 4: -0.8900, 16: -0.9124, 2000: -0.9174}
    assert loss[0] == pytest.approx(stated[modes], abs=1e-4)


def test_views_without_noise_or_one_mode_of_a_constant_give_minus_one():
    loss, _ = implied_loss("cosine", moments(held(np.ones((4, 2)), 0.0, 0.0), 1.0))
    assert loss == pytest.approx([-1, -1], abs=1e-6)
    ones = np.ones(2)
    constant = held(
        1e-12 * np.ones((3, 2)),
        predictor_eigenvalue=np.ones((3, 2)),
        **{name: ones for name in ("mean_first", "mean_second", "mean_shared", "mean_predictor")},
    )
    assert implied_loss("cosine", moments(constant))[0] == pytest.approx([-1, -1], abs=1e-6)


@pytest.mark.parametrize("loss", ["cosine", "iso-cosine", "euclidean", "iso-euclidean"])
def test_a_run_of_simulate_implies_the_loss_that_it_reports(loss):
    run = eigendyn.simulate(
        loss, [0.05, 0.3, 1.0, 2.0], sigma1=0.2, sigma2=0.4, alpha=0.5, steps=300, saves=31
    )
    found, _ = implied_loss(loss, moments(as_record(run)))
    assert found == pytest.approx(run["expected_loss"].values, abs=1e-5)
    again, _ = implied_loss(loss, moments(as_record(run), alpha=0.5))
    assert again == pytest.approx(found, abs=1e-6)


def test_any_moments_and_predictors_give_the_mean_over_samples():
    """Noises of their own, a predictor that is negative somewhere, a negative c12, and a mean."""
    rng = np.random.default_rng(0)
    v, p = np.array([1.0, 0.5, -0.02]), np.array([0.8, -0.3, 0.5])
    a1, a2, mean = np.array([0.3, 0.1, 0.2]), np.array([0.05, 0.4, 0.3]), 0.7
    columns = [
        rng.multivariate_normal([0, 0], [[c + x, c], [c, c + y]], 200_000).T
        for c, x, y in zip(v, a1, a2, strict=True)
    ]
    z1, z2 = np.moveaxis(np.array(columns), 1, 0)
    prediction = np.vstack([p[:, None] * z1, np.full((1, z1.shape[1]), 0.9 * mean)])
    target = np.vstack([z2, np.full((1, z1.shape[1]), mean)])
    norms = np.linalg.norm(prediction, axis=0) * np.linalg.norm(target, axis=0)
    samples = {
        "euclidean": 0.5 * ((prediction - target) ** 2).sum(axis=0),
        "cosine": -(prediction * target).sum(axis=0) / norms,
    }
    square = np.array([mean**2])
    made = record(
        {
            "variance": v[:, None],
            "noise1": a1[:, None],
            "noise2": a2[:, None],
            "predictor_eigenvalue": p[:, None],
            **{name: square for name in ("mean_first", "mean_second", "mean_shared")},
            "mean_predictor": np.array([0.9]),
        },
        [0.0],
        [0],
        title="made",
    )
    for loss, values in samples.items():
        found, _ = implied_loss(loss, moments(made))
        error = values.std() / np.sqrt(values.size)
        part = 5e-3 if loss == "cosine" else 0.0  # of a mean in parts
        assert abs(found[0] - values.mean()) < 4 * error + part


PREDICTORS = {
    "of one batch": None,
    "learned": np.random.default_rng(1).normal(size=(4, 4)),
    "that turns every mode": np.triu(np.ones((4, 4)), 1) - np.tril(np.ones((4, 4)), -1),
    "of zeros": np.zeros((4, 4)),
}


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("rank", [4, 2])
def test_a_record_implies_the_euclidean_loss_of_its_samples_exactly(tmp_path, rank, predictor):
    """As it is measured, whatever predictor, mean, target network and rank these have."""
    rng = np.random.default_rng(rank)
    shared, *noise = rng.normal(size=(3, 500, 4))
    some = (0.4 + shared[:, :rank]) @ rng.normal(size=(rank, 4))
    z1, z2 = some + 0.5 * noise[0], some @ rng.normal(size=(4, 4)) + 0.3 * noise[1]
    matrix = PREDICTORS[predictor]
    matrix = z1[:50].T @ z1[:50] / 50 if matrix is None else matrix
    log = eigendyn.SpectrumLog(tmp_path / "run.nc", every=2, samples=400)
    for step, rows in enumerate([slice(200), slice(200, 500)]):
        log.observe(z1[rows], z2[rows], matrix, step)
    measured = ((z1 @ matrix - z2) ** 2).sum(axis=1).mean() / 2
    found, _ = implied_loss("euclidean", moments(log.record))
    assert found == pytest.approx([measured], rel=1e-9)


def test_contributions_of_a_euclidean_loss_are_those_of_its_modes_and_sum_to_its_change(filling):
    spectrum = as_record(filling).isel(time=[0, 3, 100])
    spectrum = spectrum.assign(
        noise1=SIGMA**2 * spectrum["variance"], noise2=SIGMA**2 * spectrum["variance"]
    )
    parts = contributions("euclidean", moments(spectrum), 1, 2)
    v = spectrum["variance"].values
    own = 0.5 * (v**3 * C - 2 * v**2 + v * C)
    assert list(parts.values()) == pytest.approx((own[:, 2] - own[:, 1]).tolist(), abs=1e-12)
    whole = by_hand(spectrum)
    assert sum(parts.values()) == pytest.approx(whole[2] - whole[1])
    assert sum(parts.values()) > 0


def test_contributions_of_a_cosine_loss_sum_to_its_change():
    rng = np.random.default_rng(1)
    spectrum = held(rng.uniform(0.01, 1, (40, 2)))
    of = moments(spectrum, 0.5)
    loss, _ = implied_loss("cosine", of)
    parts = contributions("cosine", of, 0, 1)
    assert sum(parts.values()) == pytest.approx(loss[1] - loss[0], abs=1e-5)
    assert len(parts) == 33 and OTHERS in parts and MEAN not in parts
    same = spectrum.isel(time=[0, 0]).assign_coords(time=[0.0, 1.0])
    assert set(contributions("cosine", moments(same, 0.5), 0, 1).values()) == {0.0}


def test_a_predictor_that_is_not_known_is_asked_for():
    with pytest.raises(InvalidSetting, match="Give `alpha`"):
        moments(held(np.ones((2, 2))))
    assert moments(held(np.ones((2, 2))), 0.0).predictor == pytest.approx(np.ones((2, 2)))


def test_recordings_that_are_no_numbers_imply_no_loss():
    variance = np.ones((2, 3))
    variance[0, 1] = np.nan
    loss, _ = implied_loss("euclidean", moments(held(variance), 1.0))
    assert np.isfinite(loss).tolist() == [True, False, True]


def test_another_scale_of_a_loss_is_told_as_the_same_loss():
    x = np.linspace(-0.9, -0.5, 20)
    assert "same within" in beside(x, x + 0.001)
    assert "2 + 2 × the implied one" in beside(x, 2 + 2 * x)
    assert "They differ" in beside(x, -x + 0.3 * np.sin(40 * x))
    assert "no measured loss" in beside(x, np.full(20, np.nan))
