"""Claims about weight decay under the mean-field cosine loss, each with a route of its own."""

import numpy as np
import pytest
from stepped import ALLOWED, stepped, tolerances

import eigendyn

NOISE = {"sigma1": 0.2, "sigma2": 0.3}
SETTINGS = {"closure": "mean-field", "weight_decay": 0.3, "steps": 10_000, **NOISE}
FIRST, SECOND = 1 + NOISE["sigma1"] ** 2, 1 + NOISE["sigma2"] ** 2
KEPT, RATE = 0.99, 0.1  # of a target's weights in a step; learning rate


def forces(u, x):
    """F of ds/dt = F − ωs, for the predictor λ = u² and a target x."""
    eigenvalue = u**2
    first, second, both = FIRST * u**2, SECOND * x**2, u * x
    a, b, c = eigenvalue**2 @ first, second.sum(), eigenvalue @ both
    return eigenvalue * (both * a - eigenvalue * first * c) / (a**1.5 * b**0.5) / u


def test_a_mode_that_is_recruited_late_is_as_accurate_as_asked_for():
    """It magnifies an error a hundredfold on its way; s = e^(−ωt) u, du/dτ = F, τ' = e^(2ωt)."""
    start = (1.1809, 0.004, 0.0032)
    run = eigendyn.simulate("cosine", start, method="implicit", saves=2001, **SETTINGS)
    assert run.attrs["status"] == "completed"
    assert run.time[-1] == 1000
    times = run.time.values[run.time.values <= 12]
    stretched = np.expm1(0.6 * times) / 0.6
    u = stepped(lambda _, u: forces(u, u), np.sqrt(start), stretched, 3e-14)
    right = u * np.exp(-0.3 * times)
    assert tolerances(run.singular_value.values[:, : len(times)], right) < ALLOWED
    late = run.time.values[len(times) :]
    total = np.sqrt((run.singular_value.values[:, len(times) :] ** 2).sum(axis=0))
    assert tolerances(total, np.sqrt(np.sum(start)) * np.exp(-0.3 * late)) < ALLOWED


@pytest.mark.full  # what is counted in decay is in engines/implicit/test_scale_free.py
def test_a_target_that_forgets_more_slowly_than_decay_is_followed_in_few_steps():
    """What is left of it is e^(−t/τ): nothing to follow, once it is counted so."""
    start = np.array([2.2459, 0.1085, 0.0086])
    forgets = (1 - KEPT) / RATE
    run = eigendyn.simulate(
        "cosine",
        start,
        target="ema",
        method="implicit",
        max_solver_steps=4000,
        saves=1001,
        **SETTINGS,
    )
    assert run.attrs["status"] == "completed"
    assert run.time[-1] == 1000
    late = np.log(run.target_value.values[:, 200:])
    np.testing.assert_allclose(np.diff(late, axis=1), -forgets, rtol=1e-9)
    # Forces vanish where sξ ∝ s⁴, and never change Σ s², whatever the target.
    held = 3 * np.log(run.singular_value.values[:, 200:]) - late
    np.testing.assert_allclose(held - held[0], 0, atol=1e-8)
    total = np.sqrt((run.singular_value.values**2).sum(axis=0))
    assert tolerances(total, total[0] * np.exp(-0.3 * run.time.values)) < ALLOWED

    times = run.time.values[:11]

    def slope(time, states):
        u, x = np.split(states, 2)
        pull = np.exp(0.6 * time) * forces(u, x)
        return np.concatenate([pull, forgets * (u - x) + 0.3 * x])

    both = stepped(slope, np.tile(np.sqrt(start), 2), times, 3e-14) * np.exp(-0.3 * times)
    found = np.concatenate([run.singular_value.values, run.target_value.values])[:, :11]
    assert tolerances(found, both) < ALLOWED


@pytest.mark.parametrize(
    ("start", "settings"),
    [
        ((0.4881, 0.2089, 0.1352), {"predictor": "learned", "stop_gradient": False}),
        ((1.2, 0.3, 0.13, 0.004), {"predictor": "learned", "predictor_decay": 0.02}),
        ((0.84, 0.82, 0.11), {"predictor": "learned", "target": "ema", "predictor_decay": 0.1}),
        ((0.84, 0.82, 0.11), {"predictor": "none", "stop_gradient": False}),
    ],
)
def test_forces_that_are_nothing_but_round_off_move_nothing(start, settings):
    """A multiple of the identity is the best predictor of equal means: all that is left decays."""
    run = eigendyn.simulate("cosine", start, method="implicit", saves=101, **settings, **SETTINGS)
    assert run.attrs["status"] == "completed"
    decay = np.exp(-0.3 * run.time.values)
    right = np.sqrt(start)[:, None] * decay
    np.testing.assert_allclose(run.singular_value.values, right, rtol=1e-9)
    if "predictor_value" in run:
        left = 0.5 * np.exp(-settings.get("predictor_decay", 0.0) * run.time.values)
        right = np.broadcast_to(left, run.predictor_value.shape)
        np.testing.assert_allclose(run.predictor_value.values, right, rtol=1e-9)


def test_a_mode_that_comes_back_from_below_all_numbers_ends_the_run():
    """A running correlation lags ever more behind forces that grow: each switch is deeper."""
    run = eigendyn.simulate(
        "cosine", (2.2459, 0.0086), predictor="running", method="implicit", saves=1001, **SETTINGS
    )
    assert run.attrs["status"] == "inaccurate"
    assert 5 < run.time[-1] < 50
    assert "sunk" in run.attrs["message"]
    assert np.isfinite(run.singular_value).all()
    assert np.abs(run.singular_value[:, -1]).min() < 1e-100
