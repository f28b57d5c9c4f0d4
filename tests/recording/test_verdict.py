"""Claims about verdicts on recorded spectra: made-up ones whose fate is known by construction."""

import numpy as np
import pytest

from eigendyn.recording.measured import measure
from eigendyn.recording.moments import Window
from eigendyn.recording.ranks import entropy_rank
from eigendyn.recording.record import record
from eigendyn.recording.verdict import FEWEST, VERDICTS, judge, verdicts

TIMES = np.linspace(0, 20, 41)
NOISE = 0.01  # of ln v, from recording to recording


def made(variance, *, scatter=NOISE, seed=0, times=TIMES, loss="euclidean", **more):
    """A record of variances (modes, times) whose logarithms scatter."""
    rng = np.random.default_rng(seed)
    variance = np.broadcast_to(variance, (len(np.atleast_2d(variance)), len(times)))
    variance = variance * np.exp(scatter * rng.standard_normal(variance.shape))
    noises = {name: 0.1 * variance for name in ("noise1", "noise2")}
    measures = {"variance": variance, **noises, **more}
    attrs = {"loss": loss} if loss else {}
    return record(measures, times, 10 * np.arange(len(times)), title="made", **attrs)


def growing(begins, rate=1.0):
    """Logistic growth of modes from small beginnings to one."""
    ends = np.log(1 / np.asarray(begins) - 1)[:, None]
    return 1 / (1 + np.exp(ends - rate * TIMES))


def ends(*shares, rate=0.3):
    """Exponential approach from one to some variances; a negative one is never reached."""
    shares = np.asarray(shares)[:, None]
    return np.maximum(shares + (1 - shares) * np.exp(-rate * TIMES), 1e-30)


def test_modes_that_grow_one_after_another_are_recruitment_though_the_loss_rises():
    variance = growing([0.5, 1e-2, 1e-4, 1e-6, 1e-8])
    found = judge(made(variance))
    assert (found.verdict, found.healthy) == ("recruitment", True)
    assert "rise" in found.why
    assert set(verdicts(made(variance))) <= {"", "recruitment", "learning"}


def test_an_exponential_fall_is_collapse_and_is_told_before_half_is_lost():
    variance = np.exp(-0.05 * TIMES) * np.array([[1.0], [0.6], [0.3]])
    told = verdicts(made(variance))
    first = told.index("collapse")
    assert variance[0, first] > 0.5 * (1 + variance[0, -1])
    found = judge(made(variance))
    assert (found.verdict, found.healthy) == ("collapse", False)
    assert "is left in" in found.why
    assert found.since < 10 * len(TIMES)


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_to_a_fixed_point_is_no_collapse(seed):
    told = verdicts(made(5 * ends(0.3, 0.25, 0.4), seed=seed))
    assert all(VERDICTS[one].healthy for one in told if one)


def test_time_left_is_that_of_the_exponential():
    rate, scale = 0.1, np.array([[1.0], [0.6]])
    found = judge(made(np.exp(-rate * TIMES) * scale, scatter=0.0))
    left = float(found.why.split("is left in ")[1].split(",")[0])
    assert left == pytest.approx(np.log(100) / rate - TIMES[-1], rel=0.01)


def test_a_scale_that_decays_under_a_loss_that_does_not_see_it_is_no_collapse():
    variance = np.exp(-0.2 * TIMES) * np.array([[1.0], [0.9], [0.8]])
    for more in ({"loss": "cosine"}, {"loss": "iso-cosine"}):
        assert judge(made(variance, **more)).healthy
    assert judge(made(variance, loss="euclidean")).verdict == "collapse"


def test_the_sign_of_a_measured_loss_tells_a_cosine_where_no_name_does():
    variance = np.exp(-0.2 * TIMES) * np.array([[1.0], [0.9], [0.8]])
    held = made(variance, loss="")
    assert judge(held).verdict == "collapse"
    assert "if the loss does not see the scale, name it" in judge(held).why
    held["loss"] = ("time", np.full(len(TIMES), -0.9))
    assert judge(held).healthy


def test_modes_that_die_under_a_kept_scale_are_named_while_others_live():
    variance = np.concatenate([np.ones((4, 41)), np.exp(-0.2 * TIMES)[None]])
    found = judge(made(variance, loss="cosine"))
    assert found.verdict == "losing modes"
    assert "mode 4 dies" in found.why
    most = np.concatenate([np.ones((1, 41)), np.exp(-0.2 * TIMES) * np.ones((4, 1))])
    assert judge(made(most, loss="cosine")).verdict == "collapse"


def test_modes_that_never_mattered_may_die():
    dies = 0.01 * np.exp(-0.5 * TIMES)[None]
    assert judge(made(np.concatenate([growing([0.5, 0.3, 0.2]), dies]))).healthy


def test_a_representation_without_variance_or_with_its_mean_alone_is_constant():
    nothing = made(np.zeros((3, 41)), scatter=0.0)
    assert judge(nothing).verdict == "constant output"
    tiny = judge(made(1e-320 * np.ones((3, 41)), mean_share=np.full(41, 8e-4)))
    assert tiny.verdict == "constant output"
    assert tiny.why == "All modes together have a variance of 3e-320; below 1e-300 that is none."
    mean = made(1e-6 * np.ones((3, 41)), mean_share=np.full(41, 0.99999))
    assert judge(mean).verdict == "constant output"
    assert "−1" in judge(mean).words


def test_views_without_noise_are_told():
    found = made(np.ones((3, 41)))
    for name in ("noise1", "noise2"):
        found[name] = 0 * found[name]
    assert judge(found).verdict == "noise-free views"


def test_a_spectrum_that_never_moved_is_frozen_and_one_that_came_to_rest_is_not():
    still = made(np.array([[1.0], [0.5], [0.1]]) * np.ones(41), scatter=1e-4)
    assert judge(still).verdict == "frozen"
    rested = made(growing([0.5, 0.1], rate=2.0), scatter=1e-4)
    assert judge(rested).verdict == "settled"


@pytest.mark.parametrize("scatter", [0.0, NOISE])
def test_small_modes_that_still_move_are_named_where_all_others_rest(scatter):
    rested = [*growing([0.5, 0.1], rate=2.0), 1e-3 * np.exp(-0.3 * TIMES), 1e-9 * np.exp(TIMES / 4)]
    found = judge(made(np.array(rested), scatter=scatter))
    assert found.verdict == "settled"
    assert found.why.endswith("mode 2 still dies and mode 3 still grows.")
    still = np.array(rested) * [[0.0], [0.0], [0.0], [1.0]] + np.array([[1.0], [0.5], [1e-3], [0]])
    found = judge(made(still, scatter=scatter))
    assert (found.verdict, found.healthy) == ("settled", True)  # and not frozen
    assert found.why.endswith("mode 3 still grows.")
    assert "still" not in judge(made(np.array(rested[:2]), scatter=scatter)).why


def test_a_rate_that_goes_to_zero_stops_a_spectrum_that_is_not_frozen():
    rate = np.concatenate([np.ones(20), np.full(21, 1e-4)])
    times = np.cumsum(rate)
    variance = np.array([[1.0], [0.5]]) * (1 - np.exp(-0.2 * times))
    found = judge(made(variance, times=times, learning_rate=rate))
    assert (found.verdict, found.healthy) == ("stopped", True)


def sampled(scales, samples=256, dims=8, seed=0):
    """A log of fresh Gaussian samples whose variances are multiplied by something each time."""
    rng = np.random.default_rng(seed)
    rows, modes = [], None
    for scale in scales:
        x = rng.normal(size=(samples, dims)) * np.sqrt(scale * np.geomspace(1, 0.1, dims))
        views = [x + 0.3 * np.sqrt(scale) * rng.normal(size=x.shape) for _ in range(2)]
        window = Window(*views)
        window.add(*views)
        row, modes = measure(window.moments(), None, modes)
        rows.append(row)
    measures = {name: np.stack([row[name] for row in rows], axis=-1) for name in rows[0]}
    return record(measures, np.arange(len(rows)), np.arange(len(rows)), title="sampled")


@pytest.mark.parametrize("seed", range(2))
def test_fresh_samples_of_what_never_moves_raise_no_alarm_and_are_frozen_in_the_end(seed):
    told = verdicts(sampled(np.ones(110), samples=512, seed=seed))
    assert set(told) <= {"", "settled", "learning", "frozen"}
    assert told[-1] == "frozen"


def test_fresh_samples_of_what_moved_and_came_to_rest_are_not_frozen():
    told = verdicts(sampled(np.append(np.geomspace(1, 3, 10), 3 * np.ones(90)), samples=512))
    assert "frozen" not in told


@pytest.mark.parametrize("seed", range(2))
def test_a_fall_of_fresh_samples_is_told_before_half_is_lost(seed):
    told = verdicts(sampled(0.97 ** np.arange(60), seed=seed))
    assert told.index("collapse") < np.log(0.5) / np.log(0.97)


def test_a_mode_that_hands_its_variance_on_is_not_lost_while_the_whole_grows():
    handed = np.exp(-0.1 * TIMES)
    takes = np.exp(0.3 * TIMES)
    assert "losing modes" not in verdicts(made(np.stack([handed, takes, np.ones(41)])))
    kept = np.stack([handed, 1.5 - 0.5 * handed, 1 + 0 * TIMES])
    assert "losing modes" in verdicts(made(kept))


def test_shares_that_are_lost_under_a_loss_that_does_not_see_the_scale_are_a_collapse():
    shares = np.stack([np.ones(41), *np.exp(-0.15 * TIMES) * np.ones((4, 1))])
    falling = shares / shares.sum(axis=0) * np.exp(-0.2 * TIMES)
    told = verdicts(made(falling, loss="cosine"))
    assert told[-1] == "collapse"
    assert "effective rank is 1.98, falling; it was 5.00" in judge(made(falling, loss="cosine")).why
    beside = np.array([entropy_rank(one) for one in shares.T]) - 1
    assert told.index("collapse") < np.argmax(beside < beside[0] / 2)


def test_six_recordings_are_enough_for_a_fall_beyond_doubt():
    times = np.arange(FEWEST)
    falling = np.exp(-0.12 * times) * np.array([[1.0], [0.5], [0.2]])
    assert FEWEST == 6
    assert judge(made(falling, times=times, scatter=1e-3)).verdict == "collapse"


def test_swings_that_last_are_oscillation_and_scatter_is_not():
    phases = np.array([[0.0], [1.0], [2.0]])
    variance = np.exp(np.sin(1.5 * TIMES + phases))
    assert judge(made(variance)).verdict == "oscillating"
    assert judge(made(np.ones((3, 41)), scatter=0.15)).verdict != "oscillating"


def test_a_mode_whose_sampled_variance_is_negative_is_judged_without_a_warning():
    held = sampled(np.ones(30))
    held["variance"][-1] = -1e-4
    assert judge(held).verdict == "frozen"


def test_few_samples_for_many_dimensions_are_not_judged():
    found = judge(made(np.ones((30, 41)), samples=np.full(41, 40.0)))
    assert (found.verdict, found.healthy) == ("not judged", None)
    assert "40 samples for 30 modes" in found.why


def test_the_scatter_of_few_samples_is_no_fall():
    rng = np.random.default_rng(1)
    variance = np.ones((6, 41)) * np.exp(0.08 * rng.standard_normal((6, 41)))
    told = verdicts(made(variance, scatter=0.0, samples=np.full(41, 300.0)))
    assert not {"collapse", "losing modes", "oscillating"} & set(told)


def test_few_recordings_are_not_judged_and_numbers_that_end_are():
    few = made(np.ones((3, 41))).isel(time=slice(0, FEWEST - 1))
    assert judge(few) is None
    assert set(verdicts(few)) == {""}
    broken = made(np.ones((3, 41)))
    broken["variance"][1, 38:] = np.nan
    found = judge(broken)
    assert (found.verdict, found.since) == ("diverged", 380.0)
    gap = made(growing([0.5, 1e-2, 1e-4, 1e-6, 1e-8]))
    gap["variance"][1, 10] = np.inf
    assert judge(gap).verdict == "recruitment"


def test_a_scale_that_batch_norm_fixes_hides_no_loss_of_dimensions():
    falling = np.exp(-0.15 * TIMES) * np.array([[1.0], [0.9], [0.8]])
    kept = 4 - falling.sum(axis=0)  # the whole variance stays
    held = made(np.concatenate([kept[None], falling]))
    assert judge(held).verdict == "collapse"


def test_a_mean_among_the_modes_is_no_mode():
    v = np.concatenate([np.full((1, 41), 10.0), growing([0.5, 1e-2, 1e-4, 1e-6])])
    whole = 1.1 * v.sum(axis=0)
    found = judge(made(v, mean_share=10.0 / whole))
    assert found.verdict == "recruitment"
    assert "0" not in found.why.split(" rise")[0]


def test_a_verdict_takes_as_long_whatever_the_number_of_recordings():
    times = np.linspace(0, 20, 1000)
    variance = np.exp(-0.05 * times) * np.array([[1.0], [0.6]])
    held = made(variance, times=times, scatter=0.05)
    assert len(verdicts(held)) == 1000
    assert judge(held).verdict == "collapse"


def test_every_verdict_has_words():
    for row in VERDICTS.values():
        assert row.words.endswith(".")
        assert (row.holds is None) == (row.why is None)


def test_a_spectrum_that_narrows_while_its_first_mode_rises_is_not_said_to_fill():
    narrows = np.stack([np.exp(0.1 * TIMES), *[np.exp(-0.005 * TIMES)] * 4])
    found = judge(made(narrows, scatter=1e-3))
    assert (found.verdict, found.healthy) == ("learning", True)
    assert "falling" in found.why


def test_a_representation_that_is_mostly_its_mean_is_said_to_be():
    mostly = judge(made(growing([0.5, 1e-2, 1e-4]), mean_share=np.full(41, 0.97)))
    assert "mean has 97 %" in mostly.why
    assert "mean" not in judge(made(growing([0.5, 1e-2, 1e-4]), mean_share=np.full(41, 0.2))).why


@pytest.mark.parametrize(
    ("settles", "verdict"), [(0.0, "settled"), (0.02, "collapse")], ids=["at rest", "falling"]
)
def test_a_mean_that_takes_all_under_a_loss_that_does_not_see_the_scale_is_a_collapse(
    settles, verdict
):
    """The spread falls to a sixth within the first recordings; then it stays, or falls slowly."""
    modes = np.array([[1.0], [0.9], [0.8]]) * (1 - 0.5 * np.exp(-2 * TIMES))
    spread = (0.05 + 0.25 * np.exp(-4 * TIMES)) * np.exp(-settles * TIMES)
    centred = {"mean_share": 1 - spread, "mean_first": np.zeros(41)}
    found = judge(made(modes, loss="cosine", scatter=1e-4, **centred))
    assert found.verdict == verdict
    assert ("varies, falling" in found.why) == (verdict == "collapse")
