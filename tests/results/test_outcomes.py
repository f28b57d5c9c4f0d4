"""Claims about outcomes: cases whose answer is plain."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.results.outcome_words import OUTCOMES, SIZE, UNKNOWN
from eigendyn.results.outcomes import are_lost, outcomes, sizes, swing
from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.theory.conservation import is_scale_free

TIMES = np.array([0.0, 95.0, 100.0])
CASES = [  # variance at these times, beside a mode that stays at one
    ([0.1, 1.0, 1.0], "recruited"),
    ([0.49, 0.6, 0.6], "recruited"),
    ([1.0, 1.0, 1.0], "relaxed"),
    ([2.0, 0.97, 1.0], "relaxed"),  # large from the first, whatever it does in between
    ([0.57, 0.8, 0.81], "relaxed"),
    ([0.499, 0.501, 0.501], "relaxed"),  # a step over the border is no recruitment
    ([1e-3, 1e-3, 0.5], "growing"),  # large, and still on its way
    ([0.02, 0.0218, 0.0219], "growing"),  # slow, but on its way
    ([0.9, 0.96, 1.0], "growing"),  # large, and faster than before
    ([1e-8, 1e-8, 1.1e-8], "growing"),  # small, but on its way
    ([0.09, 0.01, 0.011], "recovering"),
    ([0.09, 0.001, 0.002], "recovering"),
    ([0.02, 0.0204, 0.0204], "stationary"),  # grown by 2 %
    ([0.02, 0.0196, 0.0196], "stationary"),  # fallen by 2 %
    ([0.005, 0.0051, 0.0051], "stationary"),  # small as it was: nothing collapsed
    ([0.3, 0.03, 0.03], "reduced"),
    ([0.02, 0.3, 0.2], "fading"),
    ([1.0, 0.5, 0.4], "shrinking"),
    ([1.0, 0.9, 0.8], "shrinking"),  # large, and falling
    ([1.2, 1.04, 1.0], "shrinking"),  # large, and falling faster than before
    ([0.005, 0.0041, 0.004], "shrinking"),  # below 1 %, with most of what it had
    ([1.0, 1e-3, 1e-4], "collapsed"),
    ([1.0, 1e-3, 1e-3], "collapsed"),
    ([0.0, 0.0, 0.0], "collapsed"),
]


@pytest.mark.parametrize(("variance", "expected"), CASES)
def test_outcome_of_a_mode_beside_one_of_variance_one(variance, expected):
    assert outcomes(TIMES, np.array([variance, [1.0, 1.0, 1.0]]))[0] == expected


@pytest.mark.parametrize(("variance", "expected"), CASES)
def test_weight_decay_changes_no_outcome_where_the_loss_has_no_scale(variance, expected):
    """The same course beside a common decay by e^-20, also where squares underflow."""
    both = np.array([variance, [1.0, 1.0, 1.0]])
    pair = np.vstack([both, both.sum(axis=0).max() - both.sum(axis=0)])  # of a constant total
    for last in (0.0, -20.0, -700.0):
        decayed = pair * np.exp(last * TIMES / TIMES[-1])
        assert outcomes(TIMES, decayed, scale_free=True)[0] == outcomes(TIMES, pair, True)[0]


def test_the_largest_share_is_not_lost_while_others_are_won():
    variance = np.array([[0.9, 0.6, 0.5], [0.1, 0.4, 0.5]])
    found = outcomes(TIMES, variance, scale_free=True)
    assert found[0] == "relaxed"
    assert not are_lost(found).any()


def test_every_word_is_said_of_some_case():
    assert {word for _, word in CASES} == set(OUTCOMES) - {UNKNOWN}


def test_page_and_help_define_every_word():
    path = Path(__file__).parents[2] / "docs" / "how-to" / "outcomes.md"
    page = path.read_text(encoding="utf-8")
    assert SIZE in page
    for command in ("simulate", "diagnose"):
        told = CliRunner().invoke(cli, [command, "-h"]).stdout
        for word, outcome in OUTCOMES.items():
            assert f"| {word} | {outcome.meaning} |" in page
            assert f"  {word:<11} {outcome.meaning}\n" in told
        assert " ".join(SIZE.split()) in " ".join(told.split())


def test_what_rises_or_decays_at_a_steady_rate_has_not_arrived_and_what_slows_down_has():
    times = np.linspace(0, 100, 513)
    for rate in (0.001, 0.003, 0.009):  # by 0.5 % to 4.5 % in the last twentieth
        for sign, word in ((1, "growing"), (-1, "shrinking")):
            assert outcomes(times, np.exp(sign * rate * times)[None]) == [word]
            rests = 1 - sign * 0.5 * np.exp(-rate * times)  # below twice its rest
            assert outcomes(times, rests[None]) == ["relaxed"]


@pytest.mark.parametrize("loss", ["euclidean", "iso-euclidean"])
def test_a_lone_mode_that_speeds_up_is_growing_until_it_saturates(loss):
    """Its variance, up to a half of where it ends, rises ever faster under both losses."""
    duration = {"euclidean": 500, "iso-euclidean": 3.45}[loss]  # 1/(2v), and ln(1/v)/2
    for share, word in ((0.1, "growing"), (0.3, "growing"), (0.9, "growing"), (3.0, "recruited")):
        run = eigendyn.simulate(loss, [0.001], learning_rate=share * duration / 100, steps=100)
        assert run.outcome.values == [word]


def test_a_spectrum_that_vanishes_as_a_whole_has_collapsed():
    times = np.linspace(0, 100, 101)
    variance = np.array([[1.0], [2.0]]) * np.exp(-0.2 * times)
    assert set(outcomes(times, variance)) == {"collapsed"}


def test_a_spectrum_that_comes_to_rest_far_below_its_start_has_not_collapsed():
    times = np.linspace(0, 10, 101)
    falling = 1 + 1e6 * np.exp(-5 * times)
    assert outcomes(times, np.stack([falling, falling])).tolist() == ["relaxed"] * 2


def test_a_mode_that_swings_through_zero_ever_smaller_has_collapsed():
    """Heavy momentum: s = e^(−t) cos(5t), which may well rise at the end."""
    times = np.linspace(0, 10, 301)
    for phase in np.linspace(0, np.pi, 6):  # none of which begins at zero
        swinging = (np.exp(-times) * np.cos(5 * times + phase)) ** 2
        assert outcomes(times, np.stack([swinging, np.ones_like(times)]))[0] == "collapsed"


def test_shares_sum_to_one_whatever_the_variance():
    variance = np.array([[1e300, 5e-324, 0.0, 1.0], [1e300, 0.0, 0.0, 3.0]])
    np.testing.assert_array_equal(sizes(variance, True), [[0.5, 1, 0, 0.25], [0.5, 0, 0, 0.75]])
    assert sizes(variance, False) is variance


def test_lost_is_what_small_modes_are_that_have_fallen():
    words = np.array(["recruited", "stationary", "recovering", "reduced", "fading", "collapsed"])
    assert are_lost(words).tolist() == [False, False, False, True, True, True]
    assert are_lost(np.array(["recruited", UNKNOWN])) is None


SCALE_FREE = {
    "-sum(lam*z1*sg(z2)) / (norm(lam*z1)*norm(sg(z2)))": True,
    "sum((lam*z1/norm(lam*z1) - sg(z2)/norm(sg(z2)))**2)": True,  # BYOL as it is written
    "sum((lam*z1 - sg(z2))**2)": False,
    "sum((lam*z1 - sg(z2))**2) / norm(sg(z2))": False,
    "sum((z1 - sg(z1 + z2/sum(z2**2)))**2)": True,  # pulls by 1/z, though its value has a scale
}


@pytest.mark.parametrize(("text", "expected"), SCALE_FREE.items())
def test_a_written_loss_is_scale_free_if_its_descent_is(text, expected):
    assert is_scale_free(eigendyn.parse_loss(text)) is expected


@pytest.mark.parametrize("name", eigendyn.theory.LOSSES)
def test_scale_free_losses_move_variances_alike_at_any_scale(name):
    """dv/dt at given λ (a learned predictor) or without one: by the integrated field itself."""
    for settings in ({"predictor": "none"}, {"predictor": "learned"}):
        if settings["predictor"] == "learned" and not LOSS_ROWS[name].trains_predictor:
            continue
        noisy = settings | {"sigma1": 0.3}  # without noise, equal views would not move at all
        field, states, parameters = eigendyn.vector_field(name, [0.1, 0.5, 2.0], **noisy)
        scaled = states * np.where(np.arange(len(states)) == 0, 3.0, 1.0)[:, None]
        before, after = (
            2 * np.asarray(s[0] * field(0.0, s, parameters)[0]) for s in (states, scaled)
        )
        same = np.allclose(after, before, rtol=1e-6, atol=1e-9)
        assert same == is_scale_free(
            eigendyn.named_loss(name, predictor=settings["predictor"] != "none")
        )


def test_nothing_is_lost_under_the_cosine_loss_by_weight_decay_alone():
    """The total falls to a tenth; small modes gain their share nonetheless."""
    start = [0.05, 0.3, 1.0, 2.0]
    run = eigendyn.simulate(
        *("cosine", start), weight_decay=0.01, steps=1200, closure="mean-field", method="steps"
    )
    assert run.status == "completed"
    assert float(run.variance[:, -1].sum()) < 0.1 * sum(start)
    assert run.outcome.values.tolist() == ["recruited", "recruited", "relaxed", "relaxed"]


def test_a_mode_that_grew_by_two_percent_has_not_collapsed():
    run = eigendyn.simulate(preset="byol")
    assert 1.01 < float(run.variance[9, -1] / run.variance[9, 0]) < 1.02
    assert set(run.outcome.values) == {"relaxed", "stationary"}


def test_no_mode_of_simsiam_is_lost():
    """In 75 units of time next to nothing happens but the decay that all modes share."""
    run = eigendyn.simulate(preset="simsiam")
    assert (run.variance[:5, -1] < 0.9 * run.variance[:5, 0]).all()
    assert not are_lost(run.outcome.values).any()


def test_a_mode_swings_if_it_is_large_and_rises_and_falls_at_the_end():
    times = np.linspace(0, 100, 2001)
    wave = 1 + 0.3 * np.sin(times)
    settled = 1 + 0.3 * np.exp(-times / 10) * np.sin(times)
    modes = np.stack([wave, settled, np.exp(-times / 20), 1e-3 * wave])
    np.testing.assert_array_equal(swing(times, modes), [True, False, False, False])
    together = np.stack([wave, 2 * wave])  # whose shares stay
    np.testing.assert_array_equal(swing(times, together), [True, True])
    np.testing.assert_array_equal(swing(times, together, scale_free=True), [False, False])


@pytest.mark.parametrize(("momentum", "settles"), [(0.8, False), (0.0, True)])
def test_a_run_whose_modes_do_not_settle_says_so(momentum, settles):
    settings = {"predictor": "running", "correlation_momentum": 0.99, "momentum": momentum}
    run = eigendyn.simulate("euclidean", [0.5, 0.2], **settings)
    assert run.attrs["status"] == "completed"
    assert ("do not settle" in run.attrs["message"]) != settles
