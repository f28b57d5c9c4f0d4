"""Claims about starts from files: one line says what was read, and what to know about it."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(200, 6))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(Z).add_prefix("PC").to_csv("x.csv")
    pd.DataFrame(Z).to_csv("german.csv", sep=";", decimal=",", index=False)
    np.save("few.npy", Z[:3])
    np.save("moved.npy", Z + 3)
    np.save("rank2.npy", (Z[:, :2] @ RNG.normal(size=(2, 6))).astype(np.float32))
    np.save("tall.npy", Z[:6, :4])
    np.savez("w.npz", encoder=Z[:3])
    return tmp_path


def _said(arguments):
    outcome = CliRunner().invoke(cli, arguments)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome.stderr.splitlines()[0], outcome.stdout


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            "--embeddings x.csv",
            "read 200 samples × 6 dimensions from x.csv (header and index column left out)",
        ),
        (
            "--embeddings german.csv",
            "read 200 samples × 6 dimensions from german.csv (header left out; decimal commas)",
        ),
        (
            "--embeddings few.npy",
            "read 3 samples × 6 dimensions from few.npy; fewer samples than dimensions; 3 of 6 "
            "modes have no variance beyond the rounding of float64",
        ),
        (
            "--embeddings rank2.npy",
            "read 200 samples × 6 dimensions from rank2.npy; 4 of 6 modes have no variance beyond "
            "the rounding of float32",
        ),
        (
            "--embeddings moved.npy",
            "read 200 samples × 6 dimensions from moved.npy; the mean makes 90% of all variance, "
            "--center subtracts it",
        ),
        (
            "--embeddings moved.npy --center",
            "read 200 samples × 6 dimensions from moved.npy; mean subtracted, 90% of all variance",
        ),
        ("--weights w.npz", "read 3 modes × 6 inputs from w.npz"),
        (
            "--weights tall.npy",
            "read 6 modes × 4 inputs from tall.npy; fewer inputs than modes; 2 of 6 modes have no "
            "variance beyond the rounding of float64",
        ),
    ],
)
def test_one_line_says_what_was_read(folder, options, line):
    said, _ = _said(f"simulate --loss euclidean --steps 5 {options}")
    assert said == line


def test_nothing_is_said_where_quiet_is_asked_for(folder):
    outcome = CliRunner().invoke(cli, "simulate --loss euclidean --steps 5 --embeddings x.csv -q")
    assert (outcome.exit_code, outcome.stderr) == (0, "")


def test_a_run_from_centred_embeddings_starts_from_their_covariance(folder):
    _, stdout = _said("simulate --loss euclidean --steps 5 --embeddings moved.npy --center --json")
    found = json.loads(stdout)["variances_initial"]
    expected = np.linalg.eigvalsh(np.cov(Z, rowvar=False, bias=True))[::-1]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_diagnosis_says_what_it_read_and_may_centre_it(folder):
    said, _ = _said("diagnose --loss euclidean --steps 5 --embeddings moved.npy --center")
    assert said.endswith("moved.npy; mean subtracted, 90% of all variance")


@pytest.mark.full  # a diagnosis reads its start with the same words
def test_a_crosscheck_says_what_it_read_and_may_centre_it(folder):
    outcome = CliRunner().invoke(
        cli,
        "crosscheck --loss euclidean --steps 2 --seeds 2 --batch 10 --saves 2 "
        "--embeddings moved.npy --center",
    )
    assert outcome.exit_code in (0, 3)
    assert outcome.stderr.splitlines()[0].endswith("mean subtracted, 90% of all variance")


@pytest.mark.parametrize("command", ["simulate", "diagnose", "crosscheck"])
def test_centring_without_embeddings_is_refused(command):
    outcome = CliRunner().invoke(cli, f"{command} --center --variances 1,2")
    assert outcome.exit_code == 2
    assert "--embeddings" in outcome.stderr
