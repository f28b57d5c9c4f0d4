"""Claims about `eigendyn train`: what is refused before anything heavy, and what a run says."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.cli.train import _left

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 4
IMAGES = RNG.normal(size=(4, 6, 6))[LABELS] + 0.3 * RNG.normal(size=(40, 6, 6))


def invoke(line):
    return CliRunner().invoke(cli, shlex.split(line))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where files of images lie, good and bad, as the current folder."""
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", images=IMAGES, labels=LABELS)
    np.savez("short.npz", images=IMAGES, labels=LABELS[:39])
    np.savez("single.npz", images=IMAGES, labels=np.zeros(40, int))
    np.savez("objects.npz", images=IMAGES, labels=np.array(["a", "b"] * 20, dtype=object))
    np.savez("colour.npz", images=np.zeros((40, 6, 6, 3)), labels=LABELS)
    np.savez("vectors.npz", images=IMAGES.reshape(40, -1), labels=LABELS)
    np.savez("nan.npz", images=np.where(IMAGES > 2, np.nan, IMAGES), labels=LABELS)
    np.save("alone.npy", IMAGES)
    (tmp_path / "text.npz").write_text("1,2\n")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "mine.npz").read_bytes()[:900])
    (tmp_path / "mine.nc").write_text("mine")
    return tmp_path


REFUSED = {
    "--loss cosin": "'cosine'",
    "--loss-file missing.txt": "--loss-file",
    "--loss-expr z1": "Sum it over the modes",
    "--loss-expr sum(z1*sg(z2)) --loss cosine": "either named or written",
    "--param g=1": "Add it",
    "--preset published": "Known: byol",
    "--preset byol --loss iso-cosine": "learned predictor",
    "--network linar": "'linear'",
    "--predictor none --alpha 0.5": "--no-predictor, where",
    "--alpha 0": "--no-predictor",
    "--epochs 0": "--epochs must be a whole number ≥ 1",
    "--epochs 1.5": "valid integer",
    "--steps 5": "Try --epochs.",
    "--max-epochs 5": "Try --epochs.",
    "--batch 1": "≥ 2, not 1",
    "--batch 1438": "--batch must be at most 1437",
    "--seeds 0": "--seeds must be",
    "--seed -1": "--seed must be",
    "--embedding 1": "--embedding must be",
    "--saves 1": "--saves must be",
    "--learning-rate nan": "--learning-rate must be",
    "--augment shft:1": "'shift'",
    "--augment shift:8": "below the image's height and width",
    "--augment ''": "must name an augmentation",
    "--augment2 noise:x": "--augment2",
    "--data digit": "'digits'",
    "--data missing.npz": "missing.npz does not exist",
    "--data images.csv": ".npy, .npz",
    "--data text.npz": "text",
    "--data cut.npz": "could not be read",
    "--data short.npz": "one for each of the 40 images, not 39",
    "--data single.npz": "two classes or more",
    "--data objects.npz": "'labels' holds Python objects",
    "--data colour.npz": "images.mean(axis=3)",
    "--data nan.npz": "finite",
    "--data mine.npz": "--batch must be at most 32, as many images as are trained on, not 128",
    "--data vectors.npz --batch 8": "try --network mlp",
    "--data vectors.npz --batch 8 --network mlp": "try --augment noise:0.05",
    "--checkpoint nowhere/run.npz": "Make it first",
    "--checkpoint run.nc": ".npz",
    "-o run.csv": ".nc",
    "-o mine.nc": "--force",
    "--plot run.gif": ".png",
}


@pytest.mark.parametrize(("options", "words"), REFUSED.items())
def test_bad_input_gets_one_sentence_and_nothing_is_written(folder, options, words):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    done = invoke(f"train {options}")
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert words in line
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


PROBE = """
import shlex, sys
import eigendyn
from eigendyn.cli.main import cli
for line in sys.argv[1:]:
    try:
        cli(["train", *shlex.split(line)], prog_name="eigendyn")
    except SystemExit as end:
        print(end.code, "jax" in sys.modules, "equinox" in sys.modules, "sympy" in sys.modules)
"""


def test_what_images_do_not_fit_is_refused_before_jax_is_loaded(folder):
    """Nor is it where `--checkpoint` cannot be written; and no loss with a name loads sympy."""
    lines = ["--batch 1438", "--data single.npz", "--augment shift:8", "--checkpoint no/run.npz"]
    command = [sys.executable, "-c", PROBE, *lines]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["2 False False False"] * len(lines)


def test_without_the_extra_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    done = invoke("train")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "Error: Training takes equinox and optax; not installed: optax. Try pip install "
        '"eigendyn[train]".'
    ]


def test_after_an_interruption_it_says_how_to_go_on(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["eigendyn", "train", "--loss-expr", "sum(z1*sg(z2))"])
    checkpoint = folder / "run.npz"
    assert "--checkpoint FILE.npz" in _left(None)
    assert _left(checkpoint) == "nothing was saved yet."
    checkpoint.touch()
    assert _left(checkpoint) == "go on with eigendyn train --loss-expr 'sum(z1*sg(z2))'"


SMALL = "--network linear --embedding 4 --epochs 3 --batch 8 --saves 4"


def test_it_prints_what_was_learned_and_saves_what_is_asked_for(folder):
    done = invoke(
        f"train euclidean --data mine.npz {SMALL} --checkpoint c.npz -o run.nc --plot run.png"
    )
    assert done.exit_code == 0, done.output
    assert "32 images to train on and 8 to test on, 6 × 6; 4 classes" in done.stderr
    assert "Saved run.nc and run.png." in done.stderr
    assert "linear" in done.stdout
    run = eigendyn.load("run.nc")
    assert run["variance"].sizes == {"seed": 1, "mode": 4, "time": 4}
    assert run.attrs["data"] == "mine.npz"
    assert (folder / "run.png").read_bytes().startswith(b"\x89PNG")
    again = invoke(f"train euclidean --data mine.npz {SMALL} --checkpoint c.npz -o again.nc -q")
    assert again.exit_code == 0, again.output
    assert again.stdout == done.stdout
    assert eigendyn.load("again.nc")["variance"].equals(run["variance"])


def test_without_labels_there_is_no_readout_and_it_is_said(folder):
    done = invoke(f"train euclidean --data alone.npy {SMALL} --json")
    assert done.exit_code == 0, done.output
    assert "no labels, so no readout" in done.stderr
    found = json.loads(done.stdout)
    assert found["readout"] == {}
    assert found["modes"] == 4


def test_a_network_that_diverges_ends_with_3_and_the_epoch(folder):
    done = invoke(f"train euclidean --data mine.npz {SMALL} --learning-rate 90 --json -q")
    assert done.exit_code == 3, done.output
    found = json.loads(done.stdout)
    assert found["status"] == ["diverged"]
    assert found["stopped_epoch"] == [1]
    assert "diverged in epoch 1" in found["message"]
