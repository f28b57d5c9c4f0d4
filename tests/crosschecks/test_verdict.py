"""Claims about the verdict between theory and networks."""

import numpy as np
import xarray

from eigendyn.crosschecks.verdict import agreement


def test_a_true_theory_is_seldom_called_wrong():
    """Made-up networks that differ from the theory by Gaussian noise and a bias of 1/batch."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(400):
        alarms += _made_up(rng, seeds=6, bias=50.0).attrs["verdict"] == "disagrees"
    assert alarms <= 400 * 0.1 + 3 * np.sqrt(400 * 0.1 * 0.9)


def test_a_small_shift_of_one_mode_is_caught():
    rng = np.random.default_rng(1)
    found = _made_up(rng, seeds=6, bias=50.0, shift=0.02)
    assert found.attrs["verdict"] == "disagrees"
    assert np.abs(found["deviation"].values).max(axis=1).argmax() == 2


def _made_up(rng, seeds, bias, shift=0.0):
    modes, times = 4, 21
    truth = np.ones((modes, times))
    batches = np.repeat([4_000, 1_000], seeds)
    size = batches[:, None, None]
    noise = rng.normal(size=(2 * seeds, modes, times)) * 0.1 / np.sqrt(size / 1_000)
    sampled = truth + noise + bias / size
    sampled[..., 0] = 1
    sampled[:, 2, 1:] += shift * 20
    labels = {"time": np.arange(times), "step": ("time", np.arange(times)), "mode": range(modes)}
    theory = xarray.Dataset(
        {"singular_value": (("mode", "time"), truth)}, labels, {"status": "completed"}
    )
    descent = xarray.Dataset(
        {"singular_value": (("seed", "mode", "time"), sampled)},
        labels | {"batch": ("seed", batches)},
        {"status": "completed", "dtype": "float64"},
    )
    return agreement(theory, descent, false_alarm=0.1)
