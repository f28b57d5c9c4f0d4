"""Claims about bad input: exit code 2, one sentence, nothing written."""

import numpy as np
import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli

NUMBERS = [
    "--alpha 0",
    "--epsilon -0.1",
    "--momentum 1",
    "--target ema --ema 1",
    "--target ema --ema -0.5",
    "--predictor running --correlation-momentum 1",
    "--predictor learned --predictor-rate 0",
    "--alpha -1",
    "--alpha nan",
    "--alpha x",
    "--beta 1.5",
    "--beta inf",
    "--sigma1 -0.1",
    "--sigma2 nan",
    "--weight-decay -1",
    "--learning-rate 0",
    "--learning-rate inf",
    "--steps 0",
    "--steps 1.5",
    "--saves 1",
    "--samples 1",
    "--seed -1",
    "--rtol 0",
    "--rtol 1e-8 --dtype float32",
    "--closure-accuracy 2",
]
CONTRADICTIONS = [
    "--loss iso-cosine --beta 0.5",
    "--no-predictor --beta 0.5",
    "--no-predictor --alpha 2",
    "--no-stop-gradient --beta 0.5",
    "--method steps --rtol 1e-5",
    "--closure exact --samples 50",
    "--predictor learned --loss iso-cosine",
    "--predictor learned --alpha 0.5",
    "--predictor learned --beta 0.5",
    "--predictor copy --alpha 0.5",
    "--predictor none --epsilon 0.1",
    "--predictor-rate 2",
    "--predictor-decay 0.1",
    "--predictor-start 0.1 --predictor running",
    "--correlation-momentum 0.5",
    "--epsilon-placement outside",
    "--ema-schedule cosine",
    "--ema 0.9",
    "--target ema --no-stop-gradient",
    "--variances 1,2 --modes 3 --inputs 5",
    "--embeddings z.npy --weights w.npy",
    "--modes 3",
    "--inputs 3",
]
NAMES = [
    "--loss cosin",
    "--predictor lerned",
    "--preset bylo",
    "--loss ''",
    "--method floww",
    "--closure exat",
    "--solver stif",
    "--dtype float16",
    "--device gpu",
    "--lss cosine",
    "--json=1",
    "extra",
]
SPECTRA = [
    "--variances ''",
    "--variances a,b",
    "--variances 1,,2",
    "--variances nan,1",
    "--variances inf",
    "--variances 1,-1",
    "--variances 0,0",
    "--modes 0 --inputs 5",
    "--modes -1 --inputs 5",
    "--modes 6 --inputs 5",
    "--embeddings missing.npy",
    "--embeddings .",
    "--embeddings empty.npy",
    "--embeddings text.txt",
    "--embeddings words.csv",
    "--embeddings ragged.csv",
    "--embeddings vector.npy",
    "--embeddings nan.npy",
    "--embeddings objects.npy",
    "--weights zeros.npy",
    "--weights two.npz",
]
FILES = [
    "-o result.txt",
    "-o result",
    "-o mine.nc",
    "-o nowhere/result.nc",
    "-o folder.nc",
    "--plot picture.jpg",
    "--plot mine.png",
    "--plot result.nc",
    "--config missing.toml",
    "--config bad.toml",
    "--config unknown.toml",
    "--config half.toml",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the bad files lie, as the current folder."""
    monkeypatch.chdir(tmp_path)
    np.save("vector.npy", np.ones(3))
    np.save("nan.npy", np.array([[1.0, np.nan]]))
    np.save("zeros.npy", np.zeros((2, 3)))
    np.save("objects.npy", np.array([[object()]]), allow_pickle=True)
    np.savez("two.npz", a=np.ones((2, 2)), b=np.ones((2, 2)))
    (tmp_path / "folder.nc").mkdir()
    texts = {
        "empty.npy": "",
        "text.txt": "1 2",
        "words.csv": "a,b\nc,d\n",
        "ragged.csv": "1,2\n3\n",
        "mine.nc": "mine",
        "mine.png": "mine",
        "bad.toml": "steps =",
        "unknown.toml": "stepps = 3",
        "half.toml": "steps = 1.5",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("options", NUMBERS + CONTRADICTIONS + NAMES + SPECTRA + FILES)
def test_bad_input_gets_one_sentence_and_nothing_is_written(folder, options):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    outcome = CliRunner().invoke(cli, f"simulate {options}")
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("simul", "'simulate'"),
        ("simulate --loss cosin", "'cosine'"),
        ("simulate --alpha 0", "--no-predictor"),
        ("simulate --loss iso-cosine --beta 0.5", "--loss cosine --beta 0.5"),
        ("simulate --variances 1,2 --embeddings z.npy", "--embeddings or --variances"),
        ("simulate --weight-decay 5%", "Try 0.05."),
        ("simulate --weight-decay 0,02", "Try 0.02."),
        ("simulate --weight-decay '2,5 %'", "Try 0.025."),
        ("simulate --sigma1 −0.1", "Try -0.1."),
        ("simulate --steps 1e3", "Try 1000."),
        ("simulate --steps 1,000", "Try 1000."),
        ("simulate --steps 1.5", "valid integer. See"),
        ("simulate --steps 1,5", "valid integer. See"),
        ("simulate --variances '0,05;0,3'", "--variances 0.05,0.3."),
        ("simulate --variances '0,05 0,3'", "--variances 0.05,0.3."),
        ("simulate --variances 0,05,0,3", "decimals with a point"),
        ("simulate --variances 5%,30%", "--variances 0.05,0.3."),
        ("simulate --loss-expr sum(g*z1*sg(z2)) --param g=0,8", "--param g=0.8"),
        ("simulate --modes 3", "--modes 10 --inputs 15"),
        ("simulate -o mine.nc", "--force"),
        ("simulate --config unknown.toml", "'steps'"),
        ("derive", "LOSS"),
        ("derive cosin", "'cosine'"),
        ("derive cosine --beta 2", "--beta"),
        ("derive cosine --latex --json", "--latex"),
    ],
)
def test_refusals_say_what_to_try(folder, arguments, words):
    outcome = CliRunner().invoke(cli, arguments)
    assert outcome.exit_code == 2
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("Error: ")
    assert words in line


def test_no_arguments_show_the_help_and_are_no_success():
    outcome = CliRunner().invoke(cli, "")
    assert outcome.exit_code == 2
    assert "simulate" in outcome.stderr
