"""Claims about `eigendyn data`: what it prints, saves and draws, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.data import digits, from_inputs, from_views

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 5))
IMAGES = RNG.integers(0, 256, size=(30, 4, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("images.npy", IMAGES)
    np.save("complex.npy", X + 1j)
    np.save("short.npy", X[:20])
    np.save("one.npy", X[:1])
    np.save("nan.npy", np.where(X[3, 2] == X, np.nan, X))
    np.save("colour.npy", np.zeros((9, 4, 3, 3)))
    np.savez("two.npz", a=X, b=X)
    np.savez("named.npz", inputs=IMAGES, other=X)
    np.savez("labelled.npz", pixels=IMAGES, y=np.arange(30))
    pd.DataFrame(X, columns=list("abcde")).to_csv("x.csv")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "words.csv").write_text("a,b\nc,d\n")
    (tmp_path / "mine.nc").write_text("mine")
    return tmp_path


def run(line):
    outcome = CliRunner().invoke(cli, line, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome


def test_it_saves_what_python_measures(folder):
    run("data digits --augment shift:1,noise:0.05 -o digits.nc --plot digits.png")
    saved = eigendyn.load("digits.nc")
    assert saved.equals(digits("shift:1,noise:0.05"))
    assert saved.attrs["remarks"].startswith("Images of whole numbers were divided by 16")
    assert (folder / "digits.png").stat().st_size > 10_000


def test_its_table_and_its_summary_are_the_numbers_of_the_file(folder):
    line = "data --inputs x.npy --augment noise:0.2 --augment2 mask:0.1 --modes 3 -q --force"
    shown = run(f"{line} -o x.nc --plot x.png").stdout.splitlines()
    found = json.loads(run(f"{line} -o x.nc --plot x.png --json").stdout)
    saved = eigendyn.load("x.nc")
    for place in range(3):
        cells = shown[1 + place].split()
        assert cells[0] == str(place)
        for cell, name in zip(cells[1::2], ("signal", "noise1", "noise2"), strict=False):
            assert float(cell) == pytest.approx(saved[name].values[place], rel=1e-3)
            assert found[name] == saved[name].values.tolist()
            assert found[f"{name}_error"] == saved[f"{name}_error"].values.tolist()
    assert shown[4] == ""
    assert found["cumulative_share"][-1] == pytest.approx(1)
    assert found["off_diagonal"] == saved.off_diagonal.item()
    assert found["augment2"] == "mask:0.1"
    assert found["files"] == {"result": "x.nc", "picture": "x.png"}


@pytest.mark.parametrize(
    ("options", "said", "same"),
    [
        ("--inputs images.npy --augment flip", "30 images × 12 pixels, 4 × 3, from", "images"),
        pytest.param(
            *("--inputs named.npz --augment flip", "(array 'other' left out)", "images"),
            marks=pytest.mark.full,  # as the labels of the next
        ),
        ("--inputs labelled.npz --augment flip", "(array 'y' left out)", "images"),
        ("--inputs x.csv --augment noise:0.1", "(header and index column left out)", "x"),
        ("--views x.npy x.csv", "read 30 samples × 5 dimensions from x.npy", "views"),
    ],
)
def test_files_are_read_as_they_were_written(folder, options, said, same):
    wanted = {
        "images": lambda: from_inputs(IMAGES, "flip"),
        "x": lambda: from_inputs(X, "noise:0.1"),
        "views": lambda: from_views(X, X),
    }
    assert said in run(f"data {options}").stderr
    np.testing.assert_allclose(eigendyn.load("eigendyn-data.nc").signal, wanted[same]().signal)


def test_tensors_may_be_images(folder):
    torch = pytest.importorskip("torch")
    torch.save(torch.tensor(IMAGES), "images.pt")
    run("data --inputs images.pt --augment flip -o images.nc")
    assert eigendyn.load("images.nc").equals(from_inputs(IMAGES, "flip"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "choose eigendyn data digits, --inputs FILE or --views FILE1 FILE2."),
        ("digits --inputs x.npy", "not 2: choose eigendyn data digits or --inputs."),
        ("digit", "Did you mean 'digits'?"),
        ("digits --shape 8,8", "take no --shape"),
        ("digits --augment shfit:1", "Did you mean 'shift'?"),
        ("digits --augment noise:-1", "--augment: noise takes a number, its standard deviation"),
        ("digits --augment shift:8", "below the image's height and width, 8 × 8, not 8."),
        ("digits --augment2 mask:2", "--augment2: mask takes a number, its probability"),
        ("digits --modes 0", "--modes must be a whole number ≥ 1"),
        ("digits -o digits.csv", "must end in .nc"),
        ("digits -o mine.nc", "add --force"),
        ("--inputs x.npy", "Try --shape with their height and width, or noise:0.05."),
        ("--inputs x.npy --shape 2,2", "--shape must have the pixels that a sample has, 5, not"),
        ("--inputs missing.npy", "Inputs must be a file; missing.npy does not exist."),
        ("--inputs empty.csv", "it is empty."),
        ("--inputs words.csv", "none of its columns holds measurements"),
        ("--inputs complex.npy", "must hold real numbers, not complex128."),
        ("--inputs nan.npy", "nan.npy must be finite; row 3, column 2 is nan."),
        ("--inputs one.npy --augment noise:0.1", "at least two samples"),
        ("--inputs two.npz", "must hold one array, or one called 'inputs'; it holds a, b."),
        ("--inputs colour.npy", "or grey images, samples × height × width; its shape is (9, 4, 3,"),
        ("--views x.npy", "requires 2 arguments"),
        ("--views x.npy short.npy", "the first are 30 × 5, the second 20 × 5."),
        ("--views x.npy x.npy --augment flip", "--views are augmented already"),
    ],
)
def test_bad_input_gets_one_sentence_and_nothing_is_written(folder, options, words):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    outcome = CliRunner().invoke(cli, f"data {options}")
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    (line,) = [one for one in outcome.stderr.splitlines() if not one.startswith("read ")]
    assert line.startswith("Error: ")
    assert words in line
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_the_picture_shows_the_numbers_with_their_errors():
    data = from_inputs(X, "noise:0.2", augment2="noise:0.9")
    ax = eigendyn.plot.components(data, Figure().add_subplot(), modes=4)
    for drawn, name in zip(ax.containers, ("signal", "noise1", "noise2"), strict=True):
        line, _, (bars,) = drawn
        np.testing.assert_array_equal(line.get_xdata(), np.arange(4))
        np.testing.assert_array_equal(line.get_ydata(), data[name].values[:4])
        lengths = np.ptp(np.array(bars.get_segments())[:, :, 1], axis=1)
        errors = data[f"{name}_error"].values[:4]  # of noise, here, nothing but rounding
        np.testing.assert_allclose(lengths / 2, errors, atol=1e-15)
    assert "noise:0.2 and noise:0.9" in ax.get_title()
    alike = eigendyn.plot.components(from_inputs(X, "noise:0.2"), Figure().add_subplot())
    assert len(alike.containers) == 2


def test_views_without_any_common_signal_are_shown_all_the_same(folder):
    np.save("minus.npy", -X)
    outcome = run("data --views x.npy minus.npy -o x.nc --plot x.png")
    assert "nan" not in outcome.stdout
    assert "Components 0 to 4 have negative signal" in outcome.stdout


def test_what_has_no_place_on_the_axis_is_counted_in_the_title():
    ax = eigendyn.plot.components(from_views(X, X / 2), Figure().add_subplot())
    assert "5 not positive, not drawn" in ax.get_title()
