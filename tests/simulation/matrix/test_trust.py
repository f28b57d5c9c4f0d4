"""Claims about the number that says how far aligned modes can be trusted."""

import numpy as np
import pytest
import xarray

import eigendyn
from eigendyn.data.starting import start
from eigendyn.data.trust import end_gap

INPUTS = 8
SHARES = (0.0, 0.1, 0.3, 0.6, 1.0)  # of the noise off the diagonal that is there
STEPS = {"learning_rate": 0.1, "steps": 3000, "saves": 601, "method": "steps"}


def mixed(share):
    """Data whose noise has this share of a fixed part off the diagonal."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(INPUTS, INPUTS)))[0]
    signal = np.arange(1, INPUTS + 1) ** -1.0
    noise = rng.normal(size=(INPUTS, INPUTS))
    noise = 0.2 * noise @ noise.T / INPUTS
    noise = np.diag(np.diag(noise)) + share * (noise - np.diag(np.diag(noise)))
    view = basis @ (np.diag(signal) + noise) @ basis.T
    both = ("input", "other_input")
    names = ("noise1", "noise2", "noise1_error", "noise2_error")
    rows = (np.diag(noise), np.diag(noise), 0 * signal, 0 * signal)
    return xarray.Dataset(
        {
            "components": (("component", "input"), basis.T),
            "signal": ("component", signal),
            "covariance_12": (both, basis @ np.diag(signal) @ basis.T),
            "covariance_11": (both, view),
            "covariance_22": (both, view),
            **{name: ("component", row) for name, row in zip(names, rows, strict=True)},
        },
        attrs={"augment": "noise:0", "augment2": "noise:0"},
    )


def gaps(data):
    return end_gap(*(data[key].values for key in ("covariance_12", "covariance_11", "components")))


def half_times(eigenvalues, times):
    ends = eigenvalues[:, -1:] / 2
    return np.array(
        [np.interp(end, row, times) for end, row in zip(ends[:, 0], eigenvalues, strict=True)]
    )


@pytest.mark.parametrize(("loss", "part"), [("euclidean", 0.5), ("iso-euclidean", 1.0)])
def test_the_gap_tracks_and_bounds_what_aligned_modes_are_wrong_by(loss, part):
    seen = []
    for share in SHARES:
        data = mixed(share)
        exact = eigendyn.matrix_flow(loss, data, modes=2, **STEPS)
        modes = eigendyn.simulate(loss, **start(data, 2), **STEPS)
        times = exact["time"].values
        ends, told = exact["eigenvalue"].values[:, -1], modes["variance"].values[:, -1]
        early = 1 - half_times(modes["variance"].values, times) / half_times(
            exact["eigenvalue"].values, times
        )
        seen.append([gaps(data)[0], 1 - told[0] / ends[0], early[0]])
    gap, end, early = np.array(seen).T
    assert gap[0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(gap) > 0).all()
    np.testing.assert_allclose(end, gap, rtol=1e-3, atol=1e-10)
    assert (np.diff(early) > -1e-9).all()
    assert (np.abs(early) <= part * gap + 1e-9).all()


def test_aligned_noise_of_any_size_leaves_no_gap_and_no_signal_none_either():
    signal, noise = np.array([1.0, 0.5, 0.0]), np.array([0.1, 3.0, 0.0])
    found = end_gap(np.diag(signal), np.diag(signal + noise), np.eye(3))
    np.testing.assert_allclose(found, 0, atol=1e-14)


def test_the_gap_of_digits_is_where_a_long_matrix_flow_ends():
    data = eigendyn.data.digits("shift:1,noise:0.05")
    settings = {"learning_rate": 0.5, "steps": 8000, "saves": 2, "method": "steps"}
    ends = eigendyn.matrix_flow("iso-euclidean", data, modes=3, **settings)["eigenvalue"][:, -1]
    share = data["signal"] / (data["signal"] + data["noise1"])
    measured = 1 - np.sort(share.values)[::-1][:3] / ends.values
    np.testing.assert_allclose(data["end_gap"][:3], measured, atol=2e-3)
    np.testing.assert_allclose(gaps(data), data["end_gap"], atol=1e-12)
