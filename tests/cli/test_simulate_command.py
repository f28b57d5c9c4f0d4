"""Claims about `eigendyn simulate`: what it prints, saves, overwrites, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray
from click.testing import CliRunner
from labelled import label

from eigendyn import simulate
from eigendyn.cli import interrupt
from eigendyn.cli import simulate as command
from eigendyn.cli.main import cli
from eigendyn.settings.spectrum import published_variances, random_variances

QUICK = "simulate --loss euclidean --steps 40"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(arguments):
    """Run a command that must succeed."""
    outcome = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_running_twice_saves_beside_and_says_where(folder):
    assert "eigendyn-euclidean.nc and eigendyn-euclidean.png" in run(QUICK).stderr
    assert "eigendyn-euclidean-2.nc and eigendyn-euclidean-2.png" in run(QUICK).stderr
    assert len(names(folder)) == 4


def test_a_table_of_every_mode_and_nothing_else_is_on_standard_output():
    lines = run(f"{QUICK} --variances 0.05,0.3,1").stdout.splitlines()
    assert lines[0].split()[:3] == ["mode", "initial", "variance"]
    assert [line.split()[:2] for line in lines[1:4]] == [["0", "0.05"], ["1", "0.3"], ["2", "1"]]
    assert not any("Saved" in line for line in lines)


def test_json_is_one_object_with_the_agreed_keys():
    outcome = run(f"{QUICK} --variances 0.05,0.3,1,2 --json -o a.nc --plot a.svg")
    told = json.loads(outcome.stdout)
    assert told["schema_version"] == 1
    assert told["loss"] == "euclidean"
    assert told["closure"] == "exact moments"
    assert told["method"] == "closed-form"
    assert told["status"] == "completed"
    assert told["time"] == pytest.approx(4.0)
    assert told["conserved"] == []
    assert told["files"] == {"result": "a.nc", "picture": "a.svg"}
    assert told["variances_initial"] == pytest.approx([0.05, 0.3, 1, 2], rel=1e-14)
    run_in_python = simulate("euclidean", [0.05, 0.3, 1, 2], steps=40)
    assert told["variances_final"] == run_in_python["variance"].values[:, -1].tolist()
    assert told["recruitment_time"] == run_in_python["recruitment_time"].values.tolist()


def test_json_tells_conserved_quantities_and_the_closure_error():
    told = json.loads(run("simulate --loss cosine --steps 20 --variances 0.3,1,2 --json").stdout)
    (conserved,) = told["conserved"]
    assert set(conserved) == {"name", "initial", "final", "relative_drift"}
    assert conserved["initial"] == pytest.approx(3.3)
    assert conserved["relative_drift"] < 1e-9
    assert told["closure"] == "exact quadrature"
    assert told["closure_error"] < 1e-8
    assert told["settings"]["steps"] == 20


def test_quiet_leaves_standard_error_empty():
    assert run(f"{QUICK} -q").stderr == ""


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".json"])
def test_the_suffix_chooses_the_kind_of_result(folder, suffix):
    run(f"{QUICK} -o result{suffix} --plot picture.pdf")
    assert names(folder) == ["picture.pdf", f"result{suffix}"]


def test_the_saved_result_is_the_dataset():
    told = json.loads(run(f"{QUICK} -o a.nc --json").stdout)
    with xarray.open_dataset("a.nc", engine="h5netcdf") as saved:
        assert saved["variance"].values[:, -1].tolist() == told["variances_final"]
        assert saved.attrs["loss"] == "euclidean"


def test_existing_files_are_overwritten_only_by_force(folder):
    for name in ("a.nc", "a.png"):
        (folder / name).write_text("mine")
    outcome = CliRunner().invoke(cli, f"{QUICK} -o a.nc --plot a.png")
    assert outcome.exit_code == 2
    assert (folder / "a.nc").read_text() == "mine"
    run(f"{QUICK} -o a.nc --plot a.png --force")
    assert (folder / "a.nc").read_bytes() != b"mine"
    assert (folder / "a.png").read_bytes().startswith(b"\x89PNG")
    assert names(folder) == ["a.nc", "a.png"]


def starts():
    """Every way to start, and the variances that it means."""
    rng = np.random.default_rng(3)
    embeddings = rng.normal(size=(50, 4))
    np.save("z.npy", embeddings)
    np.savetxt("w.csv", embeddings[:3], delimiter=",")
    correlation = np.linalg.eigvalsh(embeddings.T @ embeddings / 50)[::-1]
    encoder = np.linalg.svd(embeddings[:3], compute_uv=False) ** 2
    return {
        "": published_variances(),
        "--embeddings z.npy": correlation,
        "--weights w.csv": encoder,
        "--variances 2,0.1,0": [2, 0.1, 0],
        "--modes 4 --inputs 6 --seed 2": random_variances(4, 6, 2),
    }


def test_every_start_is_the_spectrum_that_it_names():
    for options, expected in starts().items():
        told = json.loads(run(f"{QUICK} {options} --json").stdout)
        np.testing.assert_allclose(told["variances_initial"], expected, rtol=1e-12)


def test_every_option_reaches_the_simulation(monkeypatch):
    given = {}

    def remember(start, settings, progress):
        given.update(settings, start=start.tolist(), progress=progress)
        return label(np.ones((1, 2)), np.arange(2.0))

    monkeypatch.setattr(command, "_simulate", remember)
    run(
        "simulate --loss cosine --no-predictor --no-stop-gradient --sigma1 0.3 --sigma2 0.4 "
        "--weight-decay 0.01 --learning-rate 0.2 --steps 7 --method flow --closure sampled "
        "--samples 99 --solver stiff --rtol 1e-5 --atol 1e-6 --saves 5 --dtype float32 "
        "--device cpu --seed 4 --variances 1,2"
    )
    assert given == {
        "loss": "cosine",
        "predictor": "none",
        "stop_gradient": False,
        "sigma1": 0.3,
        "sigma2": 0.4,
        "weight_decay": 0.01,
        "learning_rate": 0.2,
        "steps": 7,
        "method": "flow",
        "closure": "sampled",
        "samples": 99,
        "solver": "stiff",
        "rtol": 1e-5,
        "atol": 1e-6,
        "saves": 5,
        "dtype": "float32",
        "device": "cpu",
        "seed": 4,
        "start": [1.0, 2.0],
        "progress": False,
    }
    structure = {
        "predictor": "running",
        "alpha": 0.5,
        "epsilon": 0.1,
        "epsilon_placement": "outside",
        "normalize": True,
        "correlation_momentum": 0.3,
        "target": "ema",
        "ema": 0.9,
        "ema_schedule": "cosine",
        "momentum": 0.8,
    }
    run(
        "simulate --loss cosine --predictor running --alpha 0.5 --epsilon 0.1 --normalize "
        "--epsilon-placement outside --correlation-momentum 0.3 --target ema --ema 0.9 "
        "--ema-schedule cosine --momentum 0.8 --variances 1,2"
    )
    assert structure.items() <= given.items()
    learned = {
        "predictor": "learned",
        "predictor_rate": 2.0,
        "predictor_decay": 0.1,
        "predictor_start": 0.7,
    }
    run(
        "simulate --loss cosine --predictor learned --predictor-rate 2 --predictor-decay 0.1 "
        "--predictor-start 0.7 --variances 1,2"
    )
    assert learned.items() <= given.items()


def test_a_preset_gives_what_options_leave_open(folder):
    told = json.loads(run("simulate --preset byol --ema 0.9 --steps 5 --json").stdout)
    wanted = {"loss": "cosine", "predictor": "learned", "ema": 0.9, "ema_schedule": "cosine"}
    assert wanted.items() <= told["settings"].items()
    told = json.loads(run("simulate --preset byol --loss euclidean --steps 5 --json").stdout)
    assert told["settings"]["loss"] == "euclidean"


def test_options_override_the_config_file(folder):
    (folder / "run.toml").write_text(
        'loss = "euclidean"\nsteps = 40\nlearning_rate = 0.2\nvariances = [0.5, 2]\n'
        'predictor = "none"\nsigma1 = 0.5'
    )
    told = json.loads(run("simulate --config run.toml --learning-rate 0.05 --json").stdout)
    assert told["settings"]["learning_rate"] == 0.05
    assert told["settings"]["sigma1"] == 0.5
    assert told["settings"]["predictor"] == "none"
    assert told["time"] == pytest.approx(2.0)
    assert told["variances_initial"] == pytest.approx([0.5, 2])


def test_a_run_that_does_not_complete_is_saved_and_ends_with_3(folder):
    outcome = CliRunner().invoke(
        cli, "simulate --loss euclidean --method steps --learning-rate 2 --steps 100 --json"
    )
    told = json.loads(outcome.stdout)
    assert outcome.exit_code == 3
    assert told["status"] == "diverged"
    assert told["message"]
    assert all(isinstance(value, float) for value in told["variances_final"])
    assert names(folder) == ["eigendyn-euclidean.nc", "eigendyn-euclidean.png"]


def test_a_full_disk_is_a_failure_that_costs_the_file_and_not_the_table(folder):
    """The system refuses files of more than 1 kB, as it would on a disk that is nearly full."""
    # without -B, Python keeps what it could write of a module's bytecode, and fails on it for ever
    limited = f"ulimit -f 1; exec {sys.executable} -B -m eigendyn {QUICK}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: eigendyn-euclidean.nc could not be written: ")
    assert "completed at time 4, step 40" in done.stdout
    assert names(folder) == []


def test_a_file_that_appears_during_the_run_is_kept_and_the_table_printed(folder, monkeypatch):
    simulated = command._simulate

    def meanwhile(*arguments, **more):
        (folder / "a.nc").write_text("precious")
        return simulated(*arguments, **more)

    monkeypatch.setattr(command, "_simulate", meanwhile)
    outcome = CliRunner().invoke(cli, f"{QUICK} -o a.nc")
    assert outcome.exit_code == 1
    assert "completed" in outcome.stdout
    assert names(folder) == ["a.nc"]
    assert (folder / "a.nc").read_text() == "precious"


def test_a_run_of_some_seconds_shows_the_time_on_a_terminal_only(monkeypatch, capsys):
    monkeypatch.setattr(interrupt, "PATIENCE", 0.1)
    monkeypatch.delitem(sys.modules, "tqdm", raising=False)  # as in runs that draw no bar
    assert interrupt.interruptible(lambda: time.sleep(0.4) or 7, clock=True) == 7
    shown = capsys.readouterr().err
    assert "\r0 s" in shown
    assert shown.endswith("\r        \r")
    run(QUICK)
    assert interrupt.interruptible(lambda: time.sleep(0.4) or 7) == 7
    assert capsys.readouterr().err == ""


@pytest.mark.full
def test_ctrl_c_ends_at_once_with_130(folder):
    """Also while compiled code runs: this run would take an hour."""
    # A shell has what it runs in the background ignore Ctrl-C, and what that starts inherits it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "eigendyn",
            *["simulate", "--steps", "1000000", "--method", "steps"],
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=5)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr == "Error: interrupted; nothing was saved.\n"
    assert names(folder) == []


def test_a_reader_that_goes_away_causes_no_traceback():
    process = subprocess.Popen(
        [sys.executable, "-m", "eigendyn", *QUICK.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert "Traceback" not in stderr


def test_a_terminal_without_greek_gets_the_table_all_the_same():
    done = subprocess.run(
        [sys.executable, "-m", "eigendyn", *QUICK.split(), "--no-predictor"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert b"stationary" in done.stdout  # without a predictor no mode moves
