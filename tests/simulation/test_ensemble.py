"""Claims about ensembles: whatever the engine, each trajectory is what it is alone."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from followed import followed
from structures import first_of

import eigendyn
from eigendyn.errors import DeviceUnavailable, InvalidSetting, InvalidSpectrum, NotDecoupled
from eigendyn.simulation import engine as chooser
from eigendyn.simulation.equations import equations
from eigendyn.simulation.nodes import fit_nodes, judge_nodes
from eigendyn.simulation.nodes_of_many import nodes_for
from eigendyn.theory.loss_text import parse_loss

RTOL, ATOL = 1e-6, 1e-9
TOLERANCES = {"rtol": RTOL, "atol": ATOL}
ACCURACY = 1e-6  # of a quadrature
TIMES = np.array([0.0, 0.5, 2.0, 10.0, 40.0])
STARTS = np.exp(np.random.default_rng(0).uniform(np.log(1e-3), np.log(3), (5, 4)))


def alone(loss, start, **settings):
    """The same by another integrator, far more accurately (modes, times)."""
    steps = {"learning_rate": 0.5, "steps": 80, "saves": 81}
    values = followed(loss, start, **steps, **settings)["singular_value"]
    return values[:, (TIMES / 0.5).astype(int)]


def assert_accurate(found, expected):
    assert (np.abs(found - expected) <= 10 * (ATOL + RTOL * np.abs(expected))).all()


@pytest.mark.parametrize(
    ("loss", "settings", "engines"),
    [
        ("euclidean", {"weight_decay": 0.05}, ["shifted", "compiled"]),
        pytest.param(
            "cosine",
            {"closure": "mean-field"},
            ["compiled", "flow", "kernel"],
            marks=pytest.mark.full,
        ),
        pytest.param("cosine", {}, ["compiled"], marks=pytest.mark.full),
        ("euclidean", {"predictor": "learned"}, ["compiled"]),
    ],
)
def test_every_engine_is_as_accurate_as_it_says(loss, settings, engines):
    some = STARTS if settings else STARTS[:2]  # each has nodes of its own, and code for them
    expected = [alone(loss, start, **settings) for start in some]
    for engine in engines:
        run = eigendyn.ensemble(
            loss, STARTS, times=TIMES, engine=engine, learning_rate=0.5, **TOLERANCES, **settings
        )
        assert run.attrs["engine"] == engine
        assert (run.status == "completed").all()
        assert_accurate(run.singular_value.values[: len(some)], expected)


@pytest.mark.parametrize(
    ("loss", "settings", "engine"),
    [
        ("euclidean", {}, "shifted"),
        ("cosine", {"closure": "mean-field"}, "compiled"),
        ("euclidean", {"predictor": "copy"}, "compiled"),
        (parse_loss("sum((lam*z1 - sg(z2))**4)/4", {}), {}, "shifted"),
    ],
)
def test_auto_takes_the_fastest_that_serves(loss, settings, engine):
    run = eigendyn.ensemble(loss, STARTS[:1], times=TIMES, **TOLERANCES, **settings)
    assert run.attrs["engine"] == engine


@pytest.mark.parametrize("loss", ["euclidean", "cosine"])  # modes that are uncoupled, and coupled
def test_auto_takes_the_flow_on_a_gpu_and_the_kernel_only_by_name(names_only, loss):
    names_only.setattr(chooser, "find_platform", lambda _: "gpu")
    for asked, found in {"auto": "flow", "kernel": "kernel"}.items():
        assert engine_for(asked, loss, closure="mean-field") == (found, found)


def test_auto_takes_the_flow_for_a_stiff_solver(names_only):
    assert engine_for("auto", "euclidean", solver="stiff") == ("flow", "flow")


@pytest.fixture
def names_only(monkeypatch):
    """Engines that tell their names instead of following anything."""
    monkeypatch.setattr(
        chooser, "load_engine", lambda name: SimpleNamespace(follow_many=lambda *_: name)
    )
    return monkeypatch


def engine_for(asked, loss, **settings):
    """Which engine is chosen, and which one is run."""
    system = equations(loss, settings)
    run = SimpleNamespace(system=system, chosen=system.chosen, keep="trajectory")
    return chooser.follow(asked, run, STARTS[:1, None], {})


def test_a_sweep_gives_every_trajectory_its_own_parameter():
    decays = np.array([0.0, 0.05, 0.1, 0.2, 0.3])
    same = np.broadcast_to(STARTS[0], STARTS.shape)
    settings = {"times": TIMES, "closure": "mean-field", **TOLERANCES}
    run = eigendyn.ensemble("cosine", same, sweep={"weight_decay": decays}, **settings)
    np.testing.assert_array_equal(run.weight_decay, decays)
    for row, decay in enumerate(decays):
        one = eigendyn.ensemble("cosine", same[:1], weight_decay=decay, **settings)
        np.testing.assert_array_equal(run.singular_value[row], one.singular_value[0])


@pytest.mark.parametrize(
    ("loss", "engine"),
    [
        ("cosine", "compiled"),
        ("euclidean", "shifted"),
        ("euclidean", "compiled"),
        pytest.param("cosine", "flow", marks=pytest.mark.full),
    ],
)
def test_chunks_and_threads_change_no_bit(loss, engine):
    starts = STARTS * np.array([0.1, 1, 10, 0.01, 1])[:, None]  # smaller ones hold the flow up
    settings = {"times": TIMES, "closure": "mean-field", "engine": engine, **TOLERANCES}
    whole = eigendyn.ensemble(loss, starts, threads=2, **settings)
    parts = list(
        eigendyn.simulation.stream_ensemble(loss, starts, threads=1, memory=200, **settings)
    )
    assert len(parts) == len(starts)
    np.testing.assert_array_equal(
        np.concatenate([part.singular_value for part in parts]), whole.singular_value
    )
    assert np.concatenate([part.trajectory for part in parts]).tolist() == [0, 1, 2, 3, 4]


def test_a_wrong_start_is_skipped_and_spoils_no_other():
    spoilt = STARTS.copy()
    spoilt[1, 2], spoilt[3, 0] = np.nan, -0.1
    settings = {"times": TIMES, "closure": "mean-field", **TOLERANCES}
    run = eigendyn.ensemble("cosine", spoilt, **settings)
    assert run.status.values.tolist() == [
        "completed",
        "invalid-start",
        "completed",
        "invalid-start",
        "completed",
    ]
    clean = eigendyn.ensemble("cosine", STARTS, **settings)
    good = [0, 2, 4]
    np.testing.assert_array_equal(run.singular_value[good], clean.singular_value[good])
    assert np.isnan(run.singular_value[[1, 3]]).all()


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ([1e100, 0.5, 1.0], "diverged"),
        ([1e-100, 1.0, 1e-100], "closure-inaccurate"),
        ([1e-100, 0.5, 1.0], "completed"),
        ([5e-324, 0.5, 1.0], "completed"),
        ([-0.0, 0.5, 1.0], "completed"),
    ],
)
@pytest.mark.parametrize("dtype", first_of("float64", "float32"))
def test_one_start_out_of_range_changes_no_bit_of_the_others(bad, status, dtype):
    starts = STARTS[:, :3]
    settings = {"times": TIMES[:3], "dtype": dtype, **TOLERANCES}
    clean = eigendyn.ensemble("cosine", starts, **settings)
    run = eigendyn.ensemble("cosine", np.insert(starts, 2, bad, axis=0), **settings)
    others = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(run.singular_value[others], clean.singular_value)
    assert (run.status[others] == "completed").all()
    is_lost = dtype == "float32" and bad[0] != 0  # too large or too small for it
    assert run.status[2] == ("invalid-start" if is_lost else status)


def test_no_trajectories_are_no_mistake():
    run = eigendyn.ensemble("cosine", np.empty((0, 3)), times=TIMES, closure="mean-field")
    assert run.singular_value.shape == (0, 3, 5)


def test_what_is_kept_is_what_the_whole_has():
    settings = {"closure": "mean-field", "steps": 600, "saves": 601, **TOLERANCES}
    whole = eigendyn.ensemble("cosine", STARTS, **settings)
    final = eigendyn.ensemble("cosine", STARTS, keep="final", **settings)
    np.testing.assert_allclose(
        final.singular_value[..., 0], whole.singular_value[..., -1], rtol=10 * RTOL
    )
    ends = eigendyn.ensemble("cosine", STARTS, keep="extrema", **settings)
    np.testing.assert_array_equal(
        ends.singular_value.sel(extremum="largest"), whole.singular_value.max("time")
    )
    times = eigendyn.ensemble("cosine", STARTS, keep="recruitment", **settings)
    one = eigendyn.simulate("cosine", STARTS[2], closure="mean-field", steps=600, saves=601)
    np.testing.assert_allclose(times.recruitment_time[2], one.recruitment_time, rtol=1e-4)


@pytest.mark.parametrize("engine", ["shifted", "compiled"])
def test_recruitment_does_not_depend_on_the_times_to_save(engine):
    starts = np.array([[0.05, 0.3], [1e3, 0.004]])
    settings = {"keep": "recruitment", "engine": engine, "rtol": 1e-9, "atol": 1e-12}
    found = [
        eigendyn.ensemble("euclidean", starts, times=times, **settings).recruitment_time.values
        for times in (np.linspace(0, 150, 301), [150.0])
    ]
    np.testing.assert_array_equal(*found)
    for row, start in enumerate(starts):
        alone = eigendyn.simulate("euclidean", start, saves=2).recruitment_time
        np.testing.assert_allclose(found[0][row], alone, rtol=1e-6)


def test_a_trajectory_is_recruited_when_it_is_alone_and_under_its_own_parameters():
    starts = np.exp(np.random.default_rng(1).uniform(np.log(1e-3), np.log(3), (6, 3)))
    decays = np.linspace(0, 0.2, 6)
    settings = {"keep": "recruitment", "times": [60.0], "engine": "compiled", **TOLERANCES}
    whole = eigendyn.ensemble("euclidean", starts, sweep={"weight_decay": decays}, **settings)
    for row, decay in enumerate(decays):
        one = eigendyn.ensemble("euclidean", starts[[row]], weight_decay=decay, **settings)
        np.testing.assert_array_equal(whole.recruitment_time[row], one.recruitment_time[0])


@pytest.mark.full
def test_recruitment_is_found_under_a_quadrature():
    settings = {"sigma1": 0.3, "steps": 200}
    found = eigendyn.ensemble("cosine", [[1.0, 0.3]], keep="recruitment", **settings)
    alone = eigendyn.simulate("cosine", [1.0, 0.3], **settings)
    assert found.attrs["closure"] == "exact quadrature"
    np.testing.assert_allclose(found.recruitment_time[0], alone.recruitment_time, rtol=1e-5)


def test_a_mode_that_ends_below_what_tolerances_resolve_is_not_recruited():
    settings = {"keep": "recruitment", "weight_decay": 0.3, "rtol": 1e-6, "engine": "compiled"}
    found = eigendyn.ensemble("euclidean", [[1.0, 0.05]], steps=1500, sigma2=0.0, **settings)
    assert np.isnan(found.recruitment_time.values).all()
    assert (found.status == "completed").all()


def test_curves_are_counted_by_all_that_is_swept_together():
    swept = {"sigma1": np.repeat(np.linspace(0, 1, 8), 8), "weight_decay": np.tile(range(8), 8)}
    assert chooser._curves(swept) > chooser.MOST_CURVES
    assert chooser._curves({"sigma1": np.repeat([0.1, 0.2], 3), "weight_decay": 0.1}) == 2
    assert chooser._curves({"signal": np.array([[1.0, 2.0, 1.0]]), "sigma1": 0.1}) == 2


def test_times_that_begin_later_still_start_at_zero():
    settings = {"closure": "mean-field", **TOLERANCES}
    later = eigendyn.ensemble("cosine", STARTS, times=TIMES[2:], **settings)
    whole = eigendyn.ensemble("cosine", STARTS, times=TIMES, **settings)
    np.testing.assert_allclose(
        later.singular_value, whole.singular_value[..., 2:], rtol=10 * RTOL, atol=10 * ATOL
    )


def test_the_closure_and_its_error_travel_with_the_result():
    run = eigendyn.ensemble("cosine", STARTS, times=TIMES, closure_accuracy=1e-6, **TOLERANCES)
    assert run.attrs["closure"] == "exact quadrature"
    assert 0 < run.attrs["closure_error"] < 1e-5
    assert run.attrs["closure_reached"] == 1
    assert json.loads(run.attrs["settings"])["closure_accuracy"] == 1e-6


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"engine": "fast"}, eigendyn.EigendynError, "compiled"),
        ({"keep": "all"}, eigendyn.EigendynError, "trajectory"),
        ({"engine": "shifted"}, NotDecoupled, "."),
        ({"memory": 10}, InvalidSetting, "memory"),
        ({"times": [1.0, 1.0]}, InvalidSetting, "increase"),
        ({"times": [-1.0, 1.0]}, InvalidSetting, "increase"),
        ({"sweep": {"gamma": np.ones(5)}}, eigendyn.EigendynError, "gamma"),
        ({"sweep": {"weight_decay": np.ones(3)}}, InvalidSetting, "5 trajectories"),
        ({"threads": 0}, InvalidSetting, "threads"),
        ({"dtype": "float32", "rtol": 1e-9}, InvalidSetting, "float32"),
        ({"device": "cuda"}, DeviceUnavailable, "jax\\[cuda13\\]"),
        ({"variances": [0.1, 0.2]}, InvalidSpectrum, "table"),
        ({"variances": [["a", 0.2]]}, InvalidSpectrum, "table"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(options, error, says):
    options = {"variances": STARTS, "times": TIMES, "closure": "mean-field", **options}
    with pytest.raises(error, match=says) as refusal:
        eigendyn.ensemble("cosine", options.pop("variances"), **options)
    assert "\n" not in str(refusal.value)


def test_a_memory_too_small_for_one_trajectory_is_refused():
    with pytest.raises(InvalidSetting, match="One trajectory"):
        next(eigendyn.simulation.stream_ensemble("cosine", STARTS, memory=10, times=TIMES))


def test_no_closure_claims_an_error_that_it_does_not_know():
    common = {"times": TIMES, "closure": "mean-field", **TOLERANCES}
    assert np.isnan(eigendyn.ensemble("cosine", STARTS, **common).attrs["closure_error"])
    for keep in ("trajectory", "final"):
        run = eigendyn.ensemble(
            "cosine", STARTS[:2], times=TIMES[:2], closure="sampled", samples=500, keep=keep
        )
        assert 1e-4 < run.attrs["closure_error"] < 1
        assert ("at start and end" in run.attrs["closure_error_meaning"]) == (keep == "final")


def test_nodes_serve_every_trajectory_of_a_sweep():
    """Judged in NumPy; what looks at the widest spectra and a few others misses the odd one."""
    odd, noise = 37, np.full(40, 3.0)
    noise[odd] = 0
    spectra = np.tile([0.5, 0.51], (40, 1))
    spectra[5:10], spectra[odd] = [1.0, 0.05], [1.0, 0.1]
    starts = np.sqrt(spectra)[:, None]
    system = equations("cosine", {"closure": "exact", "closure_accuracy": ACCURACY})
    numbers = {"weight_decay": 0.0, "sigma1": noise, "sigma2": noise}

    def excess(fit):
        return judge_nodes(system.program, fit, starts, numbers, ACCURACY).excess

    some = np.delete(np.arange(40), odd)
    own = {name: p[some] if np.ndim(p) else p for name, p in numbers.items()}
    without = fit_nodes(system.program, starts[some], own, 0.1 * ACCURACY)
    assert int(np.argmax(excess(without))) == odd
    assert max(excess(without)) > 10 * ACCURACY
    assert max(excess(nodes_for(system.program, starts, numbers, system.chosen))) < ACCURACY


def test_a_trajectory_that_the_nodes_do_not_serve_says_so_and_spoils_no_other(monkeypatch):
    rng = np.random.default_rng(5)
    narrow, wide = rng.uniform(0.5, 0.9, (8, 5)), 10 ** rng.uniform(-5, 0, (8, 5))
    settings = {"times": TIMES, "closure": "exact", "closure_accuracy": ACCURACY, **TOLERANCES}
    alone = eigendyn.ensemble("cosine", narrow, **settings)
    assert (alone.status == "completed").all()
    system = equations("cosine", {"closure": "exact", "sigma2": 0.1})
    numbers = {"weight_decay": 0.0, "sigma1": 0.0, "sigma2": 0.1}
    poor = fit_nodes(system.program, np.sqrt(narrow)[:, None], numbers, 0.1 * ACCURACY)
    monkeypatch.setattr("eigendyn.simulation.job.nodes_for", lambda *_: poor)
    run = eigendyn.ensemble("cosine", np.concatenate([narrow, wide]), **settings)
    assert (run.status[:8] == "completed").all()
    assert (run.status[8:] == "closure-inaccurate").any()
    assert run.attrs["closure_reached"] == 0
    assert_accurate(run.singular_value[:8].to_numpy(), alone.singular_value.to_numpy())


def test_results_share_no_labels_and_no_numbers_that_can_be_changed():
    first, second, third = (
        eigendyn.ensemble("euclidean", [[0.1, 0.2]], times=TIMES[:2]) for _ in range(3)
    )
    first.time.attrs["units"] = "none"
    first["mode"] = [5, 6]
    first.singular_value.attrs["units"] = "none"
    first.singular_value[:] = 0.0
    again = eigendyn.ensemble("euclidean", [[0.1, 0.2]], times=TIMES[:2])
    for other in (second, third, again):
        assert other.time.attrs["units"] == "learning rate × step"
        np.testing.assert_array_equal(other.mode, [0, 1])
        assert other.singular_value.attrs["units"] == second.singular_value.attrs["units"] != "none"
        assert (other.singular_value > 0).all()
