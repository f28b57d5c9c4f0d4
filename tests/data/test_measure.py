"""Claims about measured data: reference values of the digits, closed forms, sampling errors."""

import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import load_digits

import eigendyn
from eigendyn.data import digits, draw, from_inputs, from_views
from eigendyn.errors import InvalidSetting, OutputExists

IMAGES = load_digits().images / 16
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def measured():
    return digits()


def shifted_digits():
    """All nine shifts (9, samples, pixels) of digits less their mean, cut out of padded images."""
    centred = IMAGES - IMAGES.mean(axis=0)
    padded = np.pad(centred, ((0, 0), (1, 1), (1, 1)))
    views = [padded[:, a : a + 8, b : b + 8] for a in range(3) for b in range(3)]
    return np.array(views).reshape(9, len(IMAGES), 64)


def test_digits_under_shifts_have_the_signal_of_reference(measured):
    """Eigenvalues of Σ₁₂, from theory's first measurement on real images."""
    np.testing.assert_allclose(
        measured.signal[:6], [0.249, 0.197, 0.130, 0.106, 0.079, 0.066], atol=5e-4
    )


def test_moments_of_digits_are_those_of_all_shifts_of_all_digits(measured):
    views = shifted_digits()
    mean = views.mean(axis=0)
    every = views.reshape(-1, 64)
    both, own = mean.T @ mean / len(mean), every.T @ every / len(every) + 0.0025 * np.eye(64)
    np.testing.assert_allclose(measured.covariance_12, both, atol=1e-14)
    np.testing.assert_allclose(measured.covariance_11, own, atol=1e-14)
    np.testing.assert_allclose(measured.covariance_22, own, atol=1e-14)
    np.testing.assert_allclose(measured["mean"], IMAGES.mean(axis=0).ravel())
    basis = measured.components.values
    for component, (signal, noise) in enumerate(zip(measured.signal, measured.noise1, strict=True)):
        along = basis[component]
        np.testing.assert_allclose(along @ both @ along, signal, atol=1e-14)
        np.testing.assert_allclose(along @ own @ along - signal, noise, atol=1e-14)


def test_most_of_the_noise_of_shifts_is_off_the_diagonal(measured):
    """Some 70 %: how much depends on the basis among the 15 directions that blurring kills.

    In any basis of these the share is at least the one reported, which has noise choose it.
    """
    both, own = measured.covariance_12.values, measured.covariance_11.values
    basis = np.linalg.eigh(both)[1]
    turn = np.linalg.qr(RNG(0).normal(size=(15, 15)))[0]
    basis[:, :15] = basis[:, :15] @ turn
    noise = basis.T @ (own - both) @ basis
    share = np.linalg.norm(noise - np.diag(np.diag(noise))) / np.linalg.norm(noise)
    assert share == pytest.approx(0.70, abs=0.01)
    assert measured.off_diagonal == pytest.approx(0.6773, abs=1e-4)
    assert (measured.signal == 0).sum() == 15
    assert "Components 49 to 63 have no signal" in measured.remarks


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_noise_alone_leaves_the_signal_and_adds_its_variance_to_every_component(sigma):
    inputs = RNG(0).normal(size=(50, 4)) * [3, 2, 1, 0.5] + [1, 2, 3, 4]
    data = from_inputs(inputs, f"noise:{sigma}")
    covariance = np.cov(inputs.T, bias=True)
    np.testing.assert_allclose(data.covariance_12, covariance, atol=1e-13)
    np.testing.assert_allclose(data.covariance_11, covariance + sigma**2 * np.eye(4), atol=1e-13)
    np.testing.assert_allclose(data.signal, np.linalg.eigvalsh(covariance)[::-1])
    np.testing.assert_allclose(data.noise1, sigma**2, atol=1e-13)
    assert data.off_diagonal < 1e-6 or sigma == 0
    assert data.commutator < 1e-14


def test_views_may_be_augmented_differently():
    inputs = RNG(0).normal(size=(50, 4))
    data = from_inputs(inputs, "noise:0.5", augment2="mask:0.2,noise:0.1")
    covariance = np.cov(inputs.T, bias=True)
    np.testing.assert_allclose(data.covariance_12, 0.8 * covariance, atol=1e-14)
    np.testing.assert_allclose(data.noise1, data.signal / 0.8 - data.signal + 0.25)
    by_hand = 0.64 * covariance + np.diag(0.16 * np.diag(covariance) + 0.01)
    np.testing.assert_allclose(data.covariance_22, by_hand, atol=1e-14)
    assert (data.augment, data.augment2) == ("noise:0.5", "mask:0.2,noise:0.1")


def test_moments_of_views_are_about_the_mean_of_both():
    rng = RNG(0)
    common = rng.normal(size=(40, 3))
    x1, x2 = (common + rng.normal(size=(40, 3)) + shift for shift in (0.0, 1.0))
    data = from_views(x1, x2)
    mean = (x1.mean(axis=0) + x2.mean(axis=0)) / 2
    products = (x1 - mean).T @ (x2 - mean) / 40
    np.testing.assert_allclose(data.covariance_12, (products + products.T) / 2, atol=1e-14)
    np.testing.assert_allclose(data.covariance_22, (x2 - mean).T @ (x2 - mean) / 40, atol=1e-14)
    np.testing.assert_allclose(data["mean"], mean)


def test_errors_are_the_spread_over_fresh_samples():
    """Of a known Gaussian, whose noise is far from diagonal; 60 trials know a spread to 9 %."""
    deviations, trials = np.array([2.0, 1.2, 0.7, 0.4]), 60
    mixing = np.array([[0.5, 0.4, 0, 0], [0, 0.6, 0, 0.3], [0.3, 0, 0.3, 0], [0, 0, 0.2, 0.2]])
    found = []
    for seed in range(trials):
        rng = RNG(seed)
        x = rng.normal(size=(400, 4)) * deviations
        noisy = [x + rng.normal(size=x.shape) @ mixing for _ in range(2)]
        found.append(from_views(*noisy))
    for name in ("signal", "noise1", "noise2", "off_diagonal", "commutator"):
        spread = np.std([one[name] for one in found], axis=0)
        error = np.mean([one[f"{name}_error"] for one in found], axis=0)
        assert (np.abs(error / spread - 1) < 0.3).all(), name
    signals = np.mean([one.signal for one in found], axis=0)
    np.testing.assert_allclose(signals, deviations**2, rtol=0.03)


def test_drawn_pairs_have_the_moments_that_were_measured(measured):
    first, second = draw(measured, 40_000, RNG(0))
    for left, right, name in ((first, second, "covariance_12"), (first, first, "covariance_11")):
        products = (left.T @ right / len(left)).ravel()
        scale = np.sqrt(np.outer(left.var(axis=0), right.var(axis=0)).ravel() / len(left))
        assert (np.abs(products - measured[name].values.ravel()) < 8 * scale).all()


def test_measured_views_are_drawn_in_pairs():
    x = RNG(0).normal(size=(9, 2))
    data = from_views(x, 10 * x)
    first, second = draw(data, 50, RNG(1))
    mean = 5.5 * x.mean(axis=0)
    np.testing.assert_allclose(second + mean, 10 * (first + mean), atol=1e-4)
    assert len(np.unique(first[:, 0])) > 5


def test_the_same_generator_draws_the_same_pairs_also_from_the_file(measured, tmp_path):
    loaded = eigendyn.load(eigendyn.save(measured, tmp_path / "digits.nc"))
    for left, right in zip(draw(measured, 8, RNG(0)), draw(loaded, 8, RNG(0)), strict=True):
        np.testing.assert_array_equal(left, right)
    assert measured.equals(loaded)
    assert loaded.attrs["augment"] == "shift:1,noise:0.05"
    assert tuple(loaded.attrs["image_shape"]) == (8, 8)


def test_data_is_saved_as_netcdf_only_since_a_table_would_repeat_every_sample(measured, tmp_path):
    for suffix in (".csv", ".json"):
        with pytest.raises(OutputExists, match=r"must end in \.nc"):
            eigendyn.save(measured, tmp_path / f"digits{suffix}")


def test_images_of_whole_numbers_are_scaled_and_it_is_said():
    rng = RNG(0)
    for largest, dtype in ((16, float), (255, np.uint8), (65535, np.uint16)):
        images = rng.integers(0, largest, size=(30, 3, 3)).astype(dtype)
        images[0, 0, 0] = largest
        data = from_inputs(images, "flip")
        np.testing.assert_allclose(data["mean"], images.mean(axis=0).ravel() / largest)
        assert data.attrs["divisor"] == largest
        assert f"divided by {largest}" in data.remarks
    kept = from_inputs(images / 65535, "flip")
    assert "divided" not in kept.remarks
    xr = from_views(images, images[:, ::-1])
    np.testing.assert_allclose(xr["mean"].values.reshape(3, 3).sum(), images.mean(0).sum() / 65535)


def test_vectors_become_images_by_their_shape():
    as_vectors = from_inputs(IMAGES[:60].reshape(60, 64), shape=(8, 8))
    assert as_vectors.equals(from_inputs(IMAGES[:60]))


def test_memory_is_that_of_a_few_copies():
    x = RNG(0).normal(size=(4_000, 64)).reshape(-1, 8, 8)
    tracemalloc.start()
    from_inputs(x, "noise:0.1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * x.nbytes


@pytest.mark.parametrize("given", [None, 5, [1, 2]])
def test_pairs_are_drawn_of_measured_data_with_a_generator(given, measured):
    with pytest.raises(InvalidSetting, match=r"what eigendyn\.data\.from_inputs\(x\) gives"):
        draw(given, 3, RNG(0))
    with pytest.raises(InvalidSetting, match="default_rng"):
        draw(measured, 3, given)
    with pytest.raises(InvalidSetting, match="with its inputs or views"):
        draw(measured.drop_vars("inputs"), 3, RNG(0))
