"""Claims about modes at one time, and about modes that are followed from one to the next."""

import numpy as np
import pytest

import eigendyn
from eigendyn.recording.following import follow, told_apart
from eigendyn.recording.measured import measure, noise_floor
from eigendyn.recording.moments import Window

RNG = np.random.default_rng(2)
DIMS = 6
BASIS = np.linalg.qr(RNG.normal(size=(DIMS, DIMS)))[0]


def moments(variances, samples=4000, noise=0.2, mean=0.0, rng=RNG):
    x = rng.normal(size=(samples, DIMS)) * np.sqrt(variances)
    pair = [x + noise * rng.normal(size=x.shape) for _ in range(2)]
    first, second = (mean + view @ BASIS.T for view in pair)
    window = Window(first, second, turns=True)
    window.add(first, second)
    return window.moments(), first, second


def test_measures_are_those_of_the_raw_batch():
    found, z1, z2 = moments([3, 2, 1, 0.5, 0.2, 0.1], mean=0.7)
    predictor = RNG.normal(size=(DIMS, DIMS))
    row, _ = measure(found, predictor, None)
    whole = np.cov(z1.T, z2.T)
    c11, c12, c22 = whole[:DIMS, :DIMS], whole[:DIMS, DIMS:], whole[DIMS:, DIMS:]
    both = (c12 + c12.T) / 2
    values, vectors = np.linalg.eig(both)
    order = np.argsort(-values)
    for m, u in enumerate(vectors[:, order].T):
        assert np.isclose(row["variance"][m], u @ c12 @ u, rtol=1e-10)
        assert np.isclose(row["noise1"][m], u @ (c11 - c12) @ u, rtol=1e-9)
        assert np.isclose(row["noise2"][m], u @ (c22 - c12) @ u, rtol=1e-9)
        share = 2 * (u @ c12 @ u) / (u @ (c11 + c22) @ u)
        assert np.isclose(row["signal_share"][m], share, rtol=1e-10)
        assert np.isclose(row["predictor_eigenvalue"][m], u @ predictor @ u, rtol=1e-8)
        predicted = z1 @ predictor @ u
        cross = np.cov([predicted, z2 @ u, z1 @ u])
        own = row["predictor_eigenvalue"][m]
        assert np.isclose(row["mixed_variance"][m], cross[0, 0] - own**2 * cross[2, 2], rtol=1e-8)
        assert np.isclose(row["mixed_shared"][m], cross[0, 1] - own * (u @ c12 @ u), atol=1e-10)
        turned = (predictor @ both - both @ predictor) @ u
        size = np.linalg.norm(predictor) * np.linalg.norm(both)
        assert np.isclose(row["commutator"][m], np.linalg.norm(turned) / size, rtol=1e-8)
    mean = z1.mean(axis=0)
    assert np.isclose(row["mean_first"], mean @ mean)
    assert np.isclose(row["mean_shared"], mean @ z2.mean(axis=0))
    assert np.isclose(row["mean_predictor"], mean @ predictor @ mean / (mean @ mean))
    assert np.isclose(row["mean_predicted"], ((z1 @ predictor).mean(axis=0) ** 2).sum())
    both = (z1 @ predictor).mean(axis=0) @ z2.mean(axis=0)
    assert np.isclose(row["mean_predicted_shared"], both)
    assert np.isclose(row["mean_share"], mean @ mean / (z1**2).sum(axis=1).mean())


def test_commutators_of_modes_sum_to_that_of_the_matrices():
    found, *_ = moments(np.arange(1, 7) / 3)
    predictor = RNG.normal(size=(DIMS, DIMS))
    row, _ = measure(found, predictor, None)
    commutator = predictor @ found.shared - found.shared @ predictor
    size = np.linalg.norm(predictor) * np.linalg.norm(found.shared)
    whole = (np.linalg.norm(commutator) / size) ** 2
    assert np.isclose((row["commutator"] ** 2).sum(), whole, rtol=1e-10)


def test_a_predictor_of_the_same_eigenvectors_commutes():
    found, *_ = moments([3, 2, 1, 0.5, 0.2, 0.1])
    values, vectors = np.linalg.eigh(found.shared)
    row, _ = measure(found, vectors @ np.diag(values**0.5) @ vectors.T, None)
    assert row["commutator"].max() < 1e-12
    assert np.allclose(row["predictor_eigenvalue"], row["variance"] ** 0.5)


def test_the_standard_error_is_the_spread_over_recordings():
    variances = np.array([3, 2, 1, 0.5, 0.2, 0.1])
    rows = [measure(moments(variances, samples=800)[0], None, None)[0] for _ in range(150)]
    spread = np.std([row["variance"] for row in rows], axis=0)
    error = np.mean([row["variance_error"] for row in rows], axis=0)
    assert np.allclose(spread / error, 1, atol=0.25)  # 4 standard errors of a spread over 150


def test_errors_of_the_whole_of_shares_and_of_the_rank_are_the_spread_over_recordings():
    """Of samples whose modes scatter together, as where some are larger than others altogether."""
    rng = np.random.default_rng(5)
    variances = np.array([3, 2, 1, 0.5, 0.2, 0.1])

    def one():
        sizes = rng.choice([0.1, 0.1, 0.1, 3.0], size=(500, 1))
        x = sizes * rng.normal(size=(500, DIMS)) * np.sqrt(variances)
        window = Window(x, x)
        window.add(x, x + 0.2 * rng.normal(size=x.shape))
        return measure(window.moments(), None, None)[0]

    rows = [one() for _ in range(150)]
    variance = np.array([row["variance"] for row in rows])
    total = variance.sum(axis=1)
    ranks = [row["effective_rank_of_shared_variance"] for row in rows]
    for values, name in (
        (total, "shared_variance_error"),
        (variance / total[:, None], "share_error"),
        (ranks, "effective_rank_error"),
    ):
        error = np.mean([row[name] for row in rows], axis=0)
        assert np.allclose(np.std(values, axis=0) / error, 1, atol=0.25), name
    alone = np.sqrt((np.array([row["variance_error"] for row in rows]) ** 2).sum(axis=1)).mean()
    assert np.std(total) > 1.2 * alone  # as if modes scattered independently


def test_modes_are_followed_through_a_crossing():
    """The second mode grows past the first; by order they would exchange their histories."""
    before, known = None, []
    for growing in (0.5, 0.8, 1.3, 2.0):
        row, before = measure(moments([1, growing, 0.2, 0.1, 0.05, 0.02])[0], None, before)
        known.append(row)
    assert np.allclose([row["variance"][1] for row in known], [0.5, 0.8, 1.3, 2.0], rtol=0.1)
    assert [row["crossings"] for row in known] == [0, 0, 2, 0]
    assert all(row["overlap"].min() > 0.9 for row in known[1:])
    assert np.isnan(known[0]["overlap"]).all()


def test_modes_are_found_again_behind_a_recording_at_which_they_were_not_told_apart():
    before, known = None, []
    for growing in (0.5, 1.0, 2.0):
        row, before = measure(moments([1, growing, 0.2, 0.1, 0.05, 0.02])[0], None, before)
        known.append(row)
    assert known[1]["told_apart"] == 4
    assert np.allclose([known[2]["variance"][m] for m in (0, 1)], [1, 2], rtol=0.1)
    assert known[1]["overlap"][:2].min() > 0.98  # with the plane of both


def test_modes_that_samples_do_not_tell_apart_keep_their_order():
    row, before = measure(moments(np.ones(DIMS), samples=100)[0], None, None)
    for _ in range(3):
        row, before = measure(moments(np.ones(DIMS), samples=100)[0], None, before)
        assert (np.diff(row["variance"]) <= 0).all()
        assert row["crossings"] == 0


def test_eigenvectors_are_told_apart_where_they_repeat():
    """Of two windows of the same population, and only there."""
    variances = np.array([3, 1.0, 0.97, 0.3, 0.1, 0.098])
    found = [moments(variances, samples=2000)[0] for _ in range(2)]
    bases = [np.linalg.eigh(one.shared) for one in found]
    (values, one), (_, other) = ((v[::-1], u[:, ::-1]) for v, u in bases)
    overlap = np.abs(np.einsum("dm,dm->m", one, other))
    whole1, whole2 = (
        np.einsum("dm,dm->m", c @ one, one) for c in (found[0].first, found[0].second)
    )
    told = told_apart(values, whole1, whole2, 2000)
    assert np.array_equal(told, [True, False, False, True, False, False])
    assert (overlap[told] > 0.95).all()


def test_following_undoes_any_permutation_and_signs():
    vectors = np.linalg.qr(RNG.normal(size=(30, 30)))[0]
    order = RNG.permutation(30)
    shuffled = vectors[:, order] * RNG.choice([-1, 1], 30)
    found = follow(shuffled, np.full(30, True), vectors, np.arange(30))
    assert np.array_equal(order[found.places], np.arange(30))
    assert np.allclose(found.overlap, 1)


@pytest.mark.parametrize("noises", [np.ones(120), np.linspace(0.2, 2, 120)])
def test_views_that_share_nothing_have_no_mode_above_the_floor(noises):
    samples = 1000
    views = RNG.normal(size=(2, samples, 120)) * np.sqrt(noises)
    cross = np.cov(views[0].T, views[1].T)[:120, 120:]
    values = np.linalg.eigvalsh((cross + cross.T) / 2)[::-1]
    floor = noise_floor(values, noises, noises, samples)
    assert 0.6 < values[0] / floor < 1.05
    if np.ptp(noises) == 0:
        assert np.isclose(floor, (2 * 120 / samples) ** 0.5)  # the semicircle's radius
        assert values[0] > 0.9 * floor


def test_opposite_views_share_no_variance_and_no_errors_of_shares():
    z = RNG.normal(size=(50, 3))
    window = Window(z, -z)
    window.add(z, -z)
    row, _ = measure(window.moments(), None, None)
    assert (row["variance"] < 0).all()
    assert not row["share_error"].any() and row["effective_rank_error"] == 0


def test_a_constant_is_one_mean_and_no_modes():
    window = Window(np.ones((50, DIMS)), np.ones((50, DIMS)))
    window.add(np.ones((50, DIMS)), np.ones((50, DIMS)))
    row, before = measure(window.moments(), np.eye(DIMS), None)
    for _ in range(2):
        assert row["mean_share"] == 1
        assert row["total_variance"] == 0
        for name, values in row.items():
            if name not in ("overlap", "alpha_req_of_centred_eigenvalues"):
                assert np.isfinite(values).all(), name
        row, before = measure(window.moments(), np.eye(DIMS), before)


def test_the_record_of_a_linear_network_is_what_the_theory_says_of_it(tmp_path):
    """Euclidean loss, predictor W Wᵀ; spectrum, noise and predictor within their errors."""
    rng, sigma, rate, steps = np.random.default_rng(5), 0.3, 0.05, 201
    left = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    right = np.linalg.qr(rng.normal(size=(7, 7)))[0][:, :4]
    start = np.array([1.2, 0.5, 0.2, 0.05])
    weights = left @ np.diag(start**0.5) @ right.T
    log = eigendyn.SpectrumLog(tmp_path / "run.nc", every=50, samples=2000)
    for step in range(steps):
        x = rng.normal(size=(2000, 7))
        x1, x2 = x + sigma * rng.normal(size=(2, 2000, 7))
        z1, z2, predictor = x1 @ weights.T, x2 @ weights.T, weights @ weights.T
        if step % 50 == 0:
            log.observe(z1, z2, predictor, step, learning_rate=rate)
        weights = weights - rate * ((z1 @ predictor - z2) @ predictor).T @ x1 / len(x)
    record = log.record
    theory = eigendyn.simulate(
        "euclidean",
        start,
        sigma1=sigma,
        sigma2=sigma,
        learning_rate=rate,
        steps=steps,
        method="steps",
        saves=steps + 1,
    )
    expected = theory.variance.sel(time=record["time"], method="nearest").values
    assert record["step"].values.tolist() == [0, 50, 100, 150, 200]
    error = record["variance_error"].values
    assert (np.abs(record["variance"] - expected) < 4 * error).all()
    assert np.allclose(record["predictor_eigenvalue"], expected, rtol=0.05)
    noise_error = ((1 + sigma**2) * 2 * sigma**2 / 2000) ** 0.5 * expected  # of z1 (z1 − z2)
    assert (np.abs(record["noise1"] - sigma**2 * expected) < 4 * noise_error).all()
    assert np.allclose(record["signal_share"], 1 / (1 + sigma**2), rtol=0.02)
    assert record["commutator"].max() < 0.03
