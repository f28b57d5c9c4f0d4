"""Claims about what a sweep finds: what single runs find, whoever follows it, to the bit."""

import numpy as np
import pytest
from sweeping.small import START, asked, small_plan

import eigendyn
from eigendyn.results.outcome_words import OUTCOMES
from eigendyn.sweeping import chunk
from eigendyn.sweeping.chunk import followed_chunk
from eigendyn.sweeping.kept import KEEPS
from eigendyn.sweeping.planning import planned


@pytest.mark.parametrize(
    ("loss", "highest"),
    [("euclidean", 0.6), pytest.param("cosine", 0.05, marks=pytest.mark.full)],
)
def test_a_sweep_finds_what_single_runs_find(loss, highest):
    decays = np.array([0.0, highest])
    plan = planned(asked({"loss": loss, "weight_decay": decays, "rtol": None}), KEEPS)
    found = followed_chunk(plan, 0, threads=2)
    for place, decay in enumerate(decays):
        run = eigendyn.simulate(loss, START, weight_decay=decay, steps=60, sigma2=0.0)
        last = run.variance.values[:, -1]
        np.testing.assert_allclose(found["final_variance"][place], last, rtol=1e-8)
        times = run.recruitment_time.values
        np.testing.assert_allclose(found["recruitment"][place], times, rtol=1e-5)
        words = [list(OUTCOMES)[number] for number in found["outcome"][place]]
        assert words == run.outcome.values.tolist()
        assert found["recruited"][place] == words.count("recruited")
        rank = run.effective_rank.values[-1]
        np.testing.assert_allclose(found["effective_rank"][place], rank, rtol=1e-8)
        for name, of in (("smallest", np.min), ("largest", np.max)):
            ends = of(run.variance.values, axis=1)
            np.testing.assert_allclose(
                found[f"{name}_variance"][place], ends, rtol=1e-2
            )  # seen at other times
    assert (found["status"] == 0).all()


def test_what_is_found_does_not_depend_on_threads(monkeypatch):
    monkeypatch.setattr(chunk, "BLOCK", 2**11)  # so that there are several blocks
    plan = small_plan()
    alone, together = (followed_chunk(plan, 1, threads) for threads in (1, 3))
    for name, values in alone.items():
        np.testing.assert_array_equal(values, together[name])
        assert np.isfinite(values).any()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("momentum", [0.3, 0.5], marks=pytest.mark.full),
        pytest.param("epsilon", [0.1, 0.2], marks=pytest.mark.full),
        ("ema", [0.5, 0.9]),
    ],
)
def test_numbers_of_a_part_are_swept_side_by_side_as_one_by_one(name, values):
    given = {"loss": "euclidean", "target": "ema" if name == "ema" else "shared"}
    plan = planned(asked({**given, name: values}), ("final",))
    assert plan.inner == (True,)
    found = followed_chunk(plan, 0, 1)["final_variance"]
    for place, value in enumerate(values):
        one = planned(asked({**given, name: [value]}), ("final",))
        alone = followed_chunk(one, 0, 1)["final_variance"]
        np.testing.assert_allclose(found[place], alone[0], rtol=1e-5)
    assert not np.allclose(found[0], found[1], rtol=1e-3)


def test_axes_that_are_no_settings_are_starts():
    variances = np.array([0.01, 0.3, 2.0])
    plan = planned(asked({"loss": "euclidean"}, variances=None, variance=variances), ("extrema",))
    found = followed_chunk(plan, 0, 1)
    assert found["largest_variance"].shape == (3, 1)
    several = np.array([START, START[::-1]])
    plan = planned(asked({"loss": "euclidean"}, variances=several), ("final",))
    final = followed_chunk(plan, 0, 1)["final_variance"]
    np.testing.assert_allclose(final[0], final[1][::-1], rtol=1e-5)
    starts = {"a": {"variances": START}, "b": {"variances": START, "signal": (2.0, 2.0, 2.0)}}
    plan = planned(asked({"loss": "euclidean"}, variances=None, starts=starts), ("final",))
    a, b = (followed_chunk(plan, number, 1)["final_variance"][0] for number in range(2))
    np.testing.assert_allclose(a, final[0], rtol=1e-5)
    assert not np.allclose(a, b, rtol=1e-2)


def test_the_border_of_a_phase_diagram_is_the_saddle_node():
    """The Euclidean mode v̇ = 2v(v − (1 + σ²)v² − ω) loses its fixed point at 4(1 + σ²)ω = 1."""
    decays, noises = np.linspace(0.1, 0.3, 41), np.linspace(0, 1, 5)
    given = {"loss": "euclidean", "weight_decay": decays, "sigma1": noises, "steps": 10_000}
    plan = planned(asked(given, variances=[2.0, 1.5, 1.0]), ("outcome",))
    weakest = followed_chunk(plan, 0, 1)["outcome"][..., -1]
    lost = weakest == list(OUTCOMES).index("collapsed")
    first = decays[lost.argmax(axis=0)]
    exact = 1 / (4 * (1 + noises**2))
    assert (np.diff(lost.astype(int), axis=0) >= 0).all()
    assert (np.abs(first - exact) <= decays[1] - decays[0]).all()
