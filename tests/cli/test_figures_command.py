"""Claims about `eigendyn figures`."""

import pytest
import xarray
from click.testing import CliRunner

from eigendyn.cli import figures as command
from eigendyn.cli.main import cli
from eigendyn.show.paper import FIGURES, NETWORKS_ONLY, OF_DEEP

OF_THEORY = [name for name in FIGURES if not name.startswith(OF_DEEP)]
DEEP = [name for name in FIGURES if name.startswith(OF_DEEP)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    """Remember what would be drawn, and draw nothing."""
    given = {}

    def remember(names, out, kind, descent, force, _progress):
        given.update(names=names, out=str(out), kind=kind, descent=descent, force=force)
        yield from ()

    monkeypatch.setattr(command, "_make", remember)
    return given


def invoke(arguments):
    return CliRunner().invoke(cli, f"figures {arguments}")


def test_the_list_names_every_figure():
    listed = invoke("--list").stdout
    assert all(title in listed for _, title in FIGURES.values())
    assert all(name in listed for name in OF_THEORY)
    assert all(f"{name.removeprefix(OF_DEEP)} --networks deep" in listed for name in DEEP)


def test_a_figure_is_a_picture_its_numbers_and_a_caption(folder):
    outcome = invoke("bifurcation --out drawn --format svg")
    assert outcome.exit_code == 0, outcome.stderr
    names = sorted(path.name for path in (folder / "drawn").iterdir())
    assert names == [f"figure-bifurcation.{suffix}" for suffix in ("nc", "svg", "txt")]
    assert "drawn/figure-bifurcation.svg" in outcome.stderr
    caption = (folder / "drawn/figure-bifurcation.txt").read_text(encoding="utf-8")
    assert "saddle-node at ω = 0.25" in caption
    with xarray.open_datatree("drawn/figure-bifurcation.nc", engine="h5netcdf") as saved:
        assert saved["euclidean/theory"].attrs["fold"] == pytest.approx(0.25)
        assert caption.split(".")[1].split()[0] in saved.attrs["caption"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("2", ["2a", "2b"]),
        ("5 2b 5", ["5", "2b"]),
        ("6 --descent quick", ["6a", "6b"]),
        ("all", [name for name in OF_THEORY if name not in NETWORKS_ONLY]),
        ("", [name for name in OF_THEORY if name not in NETWORKS_ONLY]),
        ("all --descent quick", OF_THEORY),
        ("3 8 --networks deep", ["deep-3", "deep-8"]),
        ("all --networks deep --descent quick", DEEP),
    ],
)
def test_names_mean_figures(asked, arguments, names):
    assert invoke(arguments).exit_code == 0
    assert asked["names"] == names


def test_options_reach_the_gallery(asked):
    invoke("5 --out here --format pdf --descent full --force")
    assert asked == {
        "names": ["5"],
        "out": "here",
        "kind": "pdf",
        "descent": "full",
        "force": True,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("2c", "There is no figure '2c'"),
        ("6a", "Try --descent quick"),
        ("3", "Add --networks deep"),
        ("2b --networks deep", "There is no figure '2b'"),
        ("3 --networks deep --descent none", "Try --descent quick"),
        ("3 --networks wide", "wide"),
        ("5 --format gif", "gif"),
        ("5 --descent some", "some"),
        ("5 --out no/such", "must exist"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(folder, arguments, words):
    outcome = invoke(arguments)
    assert outcome.exit_code == 2
    assert words in str(outcome.stderr) + str(outcome.exception)
    assert list(folder.iterdir()) == []


def test_existing_files_are_not_overwritten(folder):
    (folder / "figures").mkdir()
    (folder / "figures/figure-5.txt").write_text("mine")
    outcome = invoke("5")
    assert outcome.exit_code == 2
    assert "add --force" in outcome.stderr
    assert (folder / "figures/figure-5.txt").read_text() == "mine"


def test_deep_networks_are_trained_in_full_unless_said_otherwise(asked):
    invoke("4 --networks deep")
    assert asked["descent"] == "full"
    invoke("4 --networks deep --descent quick")
    assert asked["descent"] == "quick"
    invoke("5")
    assert asked["descent"] == "none"
