"""Claims about bad input: exit code 2, one sentence, nothing written."""

import numpy as np
import pytest
from click.testing import CliRunner
from structures import first_of

import eigendyn
from eigendyn.cli.main import COMMANDS, cli
from eigendyn.errors import UnknownName
from eigendyn.settings.choices import LOSS_NAMES, PRESETS
from eigendyn.settings.other_names import _MEANT, _SETTINGS

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
    "--rtol 1",
    "--rtol 2",
    "--rtol nan",
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
    "-o /proc/result.nc",
    "--plot /proc/picture.png",
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
        ("simulate --rtol 2", "--rtol must be finite and between 0 and 1, not 2.0."),
        ("simulate --device gpu", "'cuda'"),
        ("simulate --dtype double", "'float64'"),
        ("simulate --predictor mlp", "'learned'"),
        ("simulate --loss mse", "'euclidean'"),
        ("simulate --loss sum(z1)", "--loss-expr"),
        ("simulate --lr 0.1", "Try --learning-rate."),
        ("simulate --wd 0.1", "Try --weight-decay."),
        ("diagnose --tau 0.9", "Try --ema."),
        ("diagnose run.nc", "eigendyn diagnose --training run.nc reads"),
        ("phase --epochs 9", "Try --steps."),
        ("crosscheck --batch-size 9", "Try --batch."),
        ("simulate --batch-size 9", "Try eigendyn crosscheck --batch."),
        ("derive --lr 0.1", "There is no option --lr. See"),
        ("simulate --lss cosine", "Try --loss."),
        ("derive byol", "--preset byol, or the loss that it takes, cosine."),
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


TAKE_A_LOSS = sorted(set(COMMANDS) - {"data", "figures", "fit", "losses", "monitor", "plot"})


@pytest.mark.parametrize("name", TAKE_A_LOSS)
def test_every_command_takes_the_loss_as_argument_and_as_option(folder, name):
    """Refused for the name, whichever way it is given, and for two names that differ."""
    for given in ("cosin", "--loss cosin"):
        outcome = CliRunner().invoke(cli, f"{name} {given}")
        assert outcome.exit_code == 2
        assert "Did you mean 'cosine'?" in outcome.stderr
    outcome = CliRunner().invoke(cli, f"{name} cosine --loss euclidean")
    assert outcome.exit_code == 2
    assert "named once, as cosine or as --loss euclidean" in outcome.stderr


@pytest.mark.parametrize(
    "line",
    first_of(
        "derive",
        "export",
        "audit",
        "simulate --steps 9 -q --json --force -o a.nc --plot a.png",
        "design --multiplier 1",
    ),
)
def test_the_loss_as_argument_and_as_option_are_the_same(folder, line):
    said = {
        CliRunner().invoke(cli, f"{line} {given}").stdout
        for given in ("iso-cosine", "--loss iso-cosine", "iso-cosine --loss iso-cosine")
    }
    assert len(said - {""}) == 1


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_given_as_a_loss_is_told_apart(preset):
    for given in (preset, f"--loss {preset}"):
        outcome = CliRunner().invoke(cli, f"simulate {given}")
        assert outcome.exit_code == 2
        assert f"try --preset {preset}, or the loss that it takes, " in outcome.stderr


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_a_loss_given_as_a_preset_is_told_apart(loss):
    outcome = CliRunner().invoke(cli, f"simulate --preset {loss}")
    assert outcome.exit_code == 2
    assert f"It is a loss: try --loss {loss}." in outcome.stderr
    with pytest.raises(UnknownName, match=f"It is a loss: try `loss={loss!r}`"):
        eigendyn.simulate(preset=loss)


def test_every_name_from_elsewhere_means_a_parameter_that_there_is():
    known = {option.name for name in COMMANDS for option in cli.get_command(None, name).params}
    assert set(_SETTINGS) <= known
    assert set(_MEANT["setting"]) & known == {"epochs"}  # of train; others count steps
    given = [other for others in _SETTINGS.values() for other in others]
    assert len(given) == len(set(given))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_stands_in_groups_and_tells_no_missing_default(name):
    shown = CliRunner().invoke(cli, f"{name} -h").stdout
    assert "(none)" not in shown
    assert "loss_argument" not in shown
    heads = [
        line for line in shown.splitlines() if line.endswith(":") and line[:1] not in ("", " ")
    ]
    assert "Other:" in heads
    assert "Options:" not in heads
    options = [option for option in cli.get_command(None, name).params if option.opts[0][0] == "-"]
    flags = {flag: option.hidden for option in options for flag in option.opts}
    assert all((flag in shown) != hidden for flag, hidden in flags.items() if flag[:2] == "--")
    if name == "simulate":
        groups = ["Loss:", "Start:", "Network:", "Descent:", "Engine:", "Output:", "Other:"]
        assert heads[: len(groups)] == groups
