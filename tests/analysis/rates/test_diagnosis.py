"""Claims about the collapse report: verdicts are those of the dynamics, and changes are real."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from structures import first_of

import eigendyn
from eigendyn import diagnose
from eigendyn.analysis.rates import diagnosis
from eigendyn.cli.main import cli
from eigendyn.errors import EigendynError
from eigendyn.results.outcomes import are_lost
from eigendyn.show.report.collapse import summary, table

BASIN = (1 - np.sqrt(1 - 4 * 0.1)) / 2  # α = 1, no noise: the unstable v of v(1 − v) = ω
EDGE = [0.9 * BASIN, 1.1 * BASIN, 0.9]
SETTINGS = {"sigma2": 0.0, "weight_decay": 0.1, "steps": 600, "closure": "mean-field"}


@pytest.fixture(scope="module")
def euclidean():
    return diagnose("euclidean", EDGE, **SETTINGS)


def test_a_mode_is_lost_below_the_unstable_fixed_point(euclidean):
    assert euclidean.lost.tolist() == [True, False, False]


def test_the_critical_weight_decay_is_where_the_smallest_mode_turns(euclidean):
    turns = EDGE[0] * (1 - EDGE[0])  # dv/dt = 2v[v(1 − v) − ω] of a mode by itself
    assert euclidean.critical_decay == pytest.approx(turns, rel=0.04)


def test_a_change_does_what_it_says_when_it_is_made(euclidean):
    by_name = {tuple(change.settings.items()): change for change in euclidean.changes}
    saved = by_name[("weight_decay", 0.0),]
    assert not saved.lost.any()
    quick = [c for c in euclidean.changes if "cosine" not in c.settings.get("loss", "")]
    assert len(quick) >= 5
    for change in quick:
        assert change.status == "completed"
        settings = {"loss": "euclidean"} | SETTINGS | change.settings
        run = eigendyn.simulate(settings.pop("loss"), EDGE, **settings)
        np.testing.assert_array_equal(change.lost, are_lost(run["outcome"].values))


def test_changes_that_a_predictor_does_not_allow_are_left_out():
    given = {"predictor": "learned", "weight_decay": 0.05, "steps": 300, "closure": "mean-field"}
    found = diagnose("euclidean", [0.5, 1.0], **given)
    names = [change.settings.get("loss") for change in found.changes]
    assert "cosine" in names
    assert not any(name and name.startswith("iso") for name in names)


SAMPLES = 200
CLOSURES = [("mean-field", {}, 0.0), ("sampled", {"samples": SAMPLES}, 3 * np.sqrt(2 / SAMPLES))]


def tried(*start, **settings):
    """Changes that are tried, as options, without running them."""
    return [
        diagnosis.Change(change, None, "").options
        for change in diagnosis._candidates(*start, settings)
    ]


def test_every_setting_that_has_a_say_is_tried_where_it_applies():
    plain = tried("euclidean")
    assert "--momentum 0.9" in plain
    assert not any("predictor-" in one or "learning-rate" in one for one in plain)
    learned = tried("euclidean", predictor="learned", weight_decay=0.05, momentum=0.9)
    assert {"--predictor-rate 10", "--predictor-decay 0.05", "--momentum 0"} <= set(learned)
    averaged = tried("cosine", target="ema")
    assert "--learning-rate 0.01 --steps 15000" in averaged  # at the same training time


@pytest.mark.parametrize(("closure", "more", "error"), first_of(*CLOSURES))
def test_verdicts_are_the_same_by_every_closure(closure, more, error):
    """Of the Euclidean loss, whose modes do not average over one another."""
    settings = {"weight_decay": 0.1, "steps": 300}
    found = diagnose("euclidean", [0.01, 0.3, 1.0], closure=closure, **more, **settings)
    assert found.lost.tolist() == [True, False, False]
    by_name = {change.options: change.lost.tolist() for change in found.changes}
    assert by_name["--weight-decay 0"] == by_name["--loss iso-euclidean"] == [False] * 3
    turns = 0.01 * (1 - 0.01)
    assert found.critical_decay == pytest.approx(turns, rel=0.05 + error)


def test_what_is_vacuous_is_not_printed():
    """Where nothing can be lost any more, or nothing is, a critical decay means nothing."""
    found = diagnose("euclidean", [0.5, 1.0], steps=50, predictor="none", sigma1=1.0)
    assert found.lost.all()  # without a predictor every mode shrinks
    assert found.critical_decay is None
    assert "Weight decay of up to" not in table(found)


@pytest.fixture
def failing(monkeypatch):
    """Let some of the runs end with a status; others go on as they do."""

    def let(fails, status):
        real = diagnosis.simulate

        def simulate(loss, variances, **settings):
            run = real(loss, variances, **settings)
            if fails(loss, settings):
                run["outcome"][:] = "unknown"
                run.attrs |= {"status": status, "message": "Try something."}
            return run

        monkeypatch.setattr(diagnosis, "simulate", simulate)

    return let


QUICK = {"weight_decay": 0.1, "steps": 300, "closure": "mean-field"}
START = [0.01, 0.3, 1.0]


@pytest.mark.parametrize("status", first_of("a status of tomorrow", "out-of-steps", "inaccurate"))
def test_a_change_whose_run_did_not_complete_has_no_verdict(failing, status):
    failing(lambda loss, _: loss == "iso-euclidean", status)
    found = diagnose("euclidean", START, **QUICK)
    (change,) = (c for c in found.changes if c.settings.get("loss") == "iso-euclidean")
    assert change.lost is None
    assert f"--loss iso-euclidean   not known: the run did not complete ({status})" in table(found)
    assert {"options": change.options, "lost": None, "status": status} in summary(found)["changes"]
    verdicts = found.to_xarray()["verdict"].sel(change=change.options)
    assert set(verdicts.values) == {"not known"}


def test_where_the_run_itself_did_not_complete_nothing_is_compared_with_it(failing):
    failing(lambda loss, s: loss == "euclidean" and "rtol" not in s, "inaccurate")
    found = diagnose("euclidean", START, **QUICK)
    assert found.lost is None
    told = table(found)
    assert (
        "Which modes are lost is not known: the run did not complete (inaccurate), its data end "
        "at time 30, step 300. Try something." in told
    )
    assert "saves" not in told and "loses mode" not in told
    assert "--weight-decay 0       no mode lost" in told
    assert "--target ema           mode 0 lost" in told
    assert json.loads(json.dumps(summary(found), allow_nan=False))["lost"] is None


def test_a_critical_decay_is_not_read_from_runs_that_did_not_complete(failing):
    failing(lambda _, settings: settings.get("weight_decay") == 1e-2, "out-of-steps")
    assert diagnose("euclidean", START, **QUICK).critical_decay is None


@pytest.mark.parametrize(
    ("loss", "settings", "limit"),
    [
        ("euclidean", {"predictor": "running", "alpha": 0.5, "weight_decay": 0.3}, -0.6),
        ("euclidean", {"weight_decay": 0.1}, -0.2),
        ("iso-euclidean", {"weight_decay": 0.3}, 1.4),  # 2 (1 − ω)
        ("cosine", {"closure": "mean-field", "weight_decay": 0.1}, -0.2),
    ],
)
def test_growth_rates_at_zero_variance_are_their_limits(loss, settings, limit):
    start = np.array([0.0, 0.3, 1.0])
    found = diagnosis._growth_rates(loss, start, settings)
    assert found[0] == pytest.approx(limit, rel=1e-6)
    alone = diagnosis._growth_rates(loss, start[1:], settings)
    np.testing.assert_allclose(found[1:], alone, rtol=1e-6)


@pytest.mark.full  # what is made of it is tested below
def test_a_growth_rate_without_limit_is_found():
    """The isotropic cosine loss pulls the second of two modes up the harder the smaller it is.

    One step of descent shows it; the flow is stiff.
    """
    one_step = {"method": "steps", "steps": 1, "learning_rate": 1e-3}
    rates = diagnosis._growth_rates("iso-cosine", np.array([0.0, 0.5]), one_step)
    assert np.isnan(rates[0])
    assert rates[1] == pytest.approx(0, abs=1e-9)


def test_a_growth_rate_without_limit_is_none():
    run = eigendyn.simulate("iso-cosine", [0.0, 0.5], steps=300)
    rates = np.array([np.nan, 0.0])
    found = diagnosis.Diagnosis(run, are_lost(run["outcome"].values), (), None, rates)
    assert "nan" not in table(found)
    assert summary(found)["growth_rate"][0] is None


def test_growth_rates_do_not_depend_on_what_is_saved():
    start = np.array([0.05, 0.5])
    few, many = (diagnosis._growth_rates("euclidean", start, {"saves": n}) for n in (2, 301))
    np.testing.assert_array_equal(few, many)


def run(*arguments):
    return CliRunner().invoke(cli, ["diagnose", *arguments])


def test_the_report_says_which_modes_are_lost_and_what_saves_them(tmp_path):
    rng = np.random.default_rng(0)
    scales = np.array([1.5, 1.0, 0.05])
    np.save(tmp_path / "z.npy", rng.normal(size=(500, 3)) * scales)
    options = ("--loss", "euclidean", "--weight-decay", "0.05", "--steps", "300")
    outcome = run(*options, "--embeddings", str(tmp_path / "z.npy"))
    assert outcome.exit_code == 0, outcome.stderr
    assert "1 of 3 modes is lost by time 30, step 300: mode 2." in outcome.stdout
    assert "--weight-decay 0 " in outcome.stdout
    assert "--loss iso-euclidean   saves mode 2" in outcome.stdout


@pytest.mark.full
def test_command_and_function_find_the_same(tmp_path):
    data, picture = tmp_path / "a.nc", tmp_path / "a.png"
    written = ("-o", str(data), "--plot", str(picture), "-q")
    options = ("--loss", "euclidean", "--variances", "0.01,1", "--weight-decay", "0.1")
    shortened = (*options, "--steps", "300", "--closure", "mean-field", "--json", *written)
    outcome = run(*shortened)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr == ""
    found = diagnose("euclidean", [0.01, 1.0], **QUICK)
    assert json.loads(outcome.stdout) == json.loads(json.dumps(summary(found)))
    assert json.loads(outcome.stdout)["lost"] == [True, False]
    stored, expected = eigendyn.load(data), found.to_xarray()
    np.testing.assert_array_equal(stored["verdict"], expected["verdict"])
    assert stored["change"].values.tolist() == expected["change"].values.tolist()
    assert stored.attrs["critical_weight_decay"] == found.critical_decay
    assert picture.stat().st_size > 10_000
    again = run(*shortened)
    assert again.exit_code == 2
    assert "exists and is not overwritten" in again.stderr


def test_the_picture_shows_the_verdicts():
    found = diagnose("euclidean", START, **QUICK)
    (image,) = eigendyn.plot.diagnosis(found, Figure().add_subplot()).images
    shown = np.asarray(image.get_array())
    assert shown.shape == (1 + len(found.changes), 3)
    np.testing.assert_array_equal(shown[0] == 1, found.lost)  # "lost" is the second colour


def test_wrong_settings_are_refused():
    with pytest.raises(EigendynError):
        diagnose("euclidean", [1.0], weight_decay=-1)
    outcome = run("--loss", "euclidean", "--variances", "0,0")
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1
