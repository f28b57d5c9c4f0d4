"""Linear networks trained on real images against the matrix flow, and one real run."""

import jax
import numpy as np
import pytest
from scipy import stats

import eigendyn
from eigendyn.data.asked import read_augmentations
from eigendyn.training import loop
from eigendyn.training.batches import Views
from eigendyn.training.images import digits_images
from eigendyn.training.networks import build

AUGMENT, MODES, LEADING, DRAWS = "shift:1,noise:0.05", 6, 3, 20
GIVEN = {
    "batch": 359,
    "predictor": "running",
    "correlation_momentum": 0.9,
    "alpha": 1.0,
    "learning_rate": 0.2,
    "momentum": 0.0,
    "weight_decay": 0.01,
}
FLOW = {name: value for name, value in GIVEN.items() if name != "batch"}
SEEDS, FALSE_ALARM = 8, 1e-3


def moments_of_views(images):
    """Data with the second moments of many drawn pairs, about the mean image."""
    steps = read_augmentations(AUGMENT, "augment")
    views = Views(images.train, images.shape, steps, steps, "float64")
    rows = np.tile(np.arange(len(images.train)), DRAWS)
    first, second = views.pairs(rows, np.random.default_rng(99))
    shared = first.T @ second / len(first)
    signal, vectors = np.linalg.eigh((shared + shared.T) / 2)
    data = eigendyn.data.from_inputs(images.train, AUGMENT, shape=images.shape)
    return data.assign(
        signal=(data["signal"].dims, signal[::-1]),
        components=(data["components"].dims, vectors[:, ::-1].T),
        covariance_12=(data["covariance_12"].dims, (shared + shared.T) / 2),
        covariance_11=(data["covariance_11"].dims, first.T @ first / len(first)),
        covariance_22=(data["covariance_22"].dims, second.T @ second / len(first)),
    )


@pytest.mark.full  # quick: steps are those of the network room, which follows the flow
def test_a_linear_network_has_the_spectrum_of_the_matrix_flow(monkeypatch):
    def many_pairs(course, number):
        rows = np.tile(np.arange(len(course.images.train)), DRAWS)
        return course.views.pairs(rows, np.random.default_rng(number))

    monkeypatch.setattr(loop, "_measured_views", many_pairs)  # so that what is left is training's
    images = digits_images()
    size = {"network": "linear", "embedding": MODES, "saves": 3, "dtype": "float64"}
    run = eigendyn.train(
        "euclidean", images, augment=AUGMENT, seeds=SEEDS, epochs=30, **size, **GIVEN
    )
    data, ratios = moments_of_views(images), []
    for seed in range(SEEDS):
        key = jax.random.fold_in(jax.random.key(0), seed)
        first = build("linear", images.shape, MODES, key, "float64").layers[0].weight.T
        last = int(run["step"][-1])
        flow = eigendyn.matrix_flow(
            "euclidean", data, np.asarray(first), method="steps", steps=last, saves=last + 1, **FLOW
        )
        told = flow["eigenvalue"].values[:LEADING, run["step"].values[1:]]
        ratios.append(run["variance"].values[seed, :LEADING, 1:] / told - 1)
    ratios = np.array(ratios).reshape(SEEDS, -1)
    error = ratios.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    allowed = stats.t.ppf(1 - FALSE_ALARM / (2 * ratios.shape[1]), SEEDS - 1)
    assert (np.abs(ratios.mean(axis=0)) <= allowed * error).all()
    assert np.abs(ratios.mean(axis=0)).max() < 0.1  # errors are small enough to tell


@pytest.mark.full
def test_digits_are_learned_beyond_raw_pixels_and_the_untrained_encoder():
    run = eigendyn.train("iso-euclidean", epochs=50, saves=3)
    final = float(run["linear_accuracy"][0, -1])
    assert run.attrs["status"] == "completed"
    assert final >= 0.95
    assert final > max(run.attrs["raw_linear_accuracy"], float(run["linear_accuracy"][0, 0]))
