"""Claims about files: whole or none, never over another one, the same when read back."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray

from eigendyn.errors import OutputExists, UnreadableFile
from eigendyn.results.files import check_output, fresh_path, load, save, write_atomically
from eigendyn.results.labelled import Column, Labelled
from eigendyn.simulation.simulate import simulated


@pytest.fixture
def dataset():
    return xarray.Dataset(
        {
            "variance": (("mode", "time"), np.array([[0.1, 0.2, 1 / 3], [1.0, np.nan, 2.0]])),
            "recruitment_time": ("mode", [0.5, np.nan]),
            "conserved_1": ("time", np.ones(3), {"long_name": "sum"}),
        },
        coords={"time": [0.0, 0.5, 1.0], "mode": [0, 1]},
        attrs={"settings": '{"loss": "cosine"}', "message": "two\nlines"},
    )


def test_netcdf_comes_back_as_it_was(dataset, tmp_path):
    path = save(dataset, tmp_path / "run.nc")
    xarray.testing.assert_identical(load(path), dataset)


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".json"])
def test_labelled_arrays_are_saved_as_their_dataset(suffix, tmp_path):
    """Their netCDF is written without xarray, and reads the same, names of axes and all."""
    result = simulated("cosine", [0.0, 0.3, 1.0], steps=20, weight_decay=0.1)
    dataset = result.to_xarray()
    ours, theirs = tmp_path / f"ours{suffix}", tmp_path / f"theirs{suffix}"
    save(result, ours)
    save(dataset, theirs)
    if suffix != ".nc":
        assert ours.read_text("utf-8") == theirs.read_text("utf-8")
        return
    one, other = load(ours), load(theirs)
    xarray.testing.assert_identical(one, dataset)
    xarray.testing.assert_identical(one, other)
    assert np.isnan(one.recruitment_time[0])
    for name in other.variables:
        for part in ("dtype", "_FillValue", "coordinates"):
            pair = [each[name].encoding.get(part) for each in (one, other)]
            assert str(pair[0]) == str(pair[1]), (name, part)


def test_an_axis_without_positions_comes_back_without_any(tmp_path):
    points = Column(("point", "side"), np.arange(6.0).reshape(3, 2), {"units": "1"})
    words = Column(("word",), np.array(["λ", "s"]), {})
    result = Labelled({"at": points}, {"word": words}, {"between": np.array([0.0, 1.0])})
    loaded = load(save(result, tmp_path / "points.nc"))
    xarray.testing.assert_identical(loaded, result.to_xarray())
    assert loaded.sizes == {"point": 3, "side": 2, "word": 2}


def test_csv_has_one_row_per_mode_and_time(dataset, tmp_path):
    lines = save(dataset, tmp_path / "run.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == '# settings: {"loss": "cosine"}'
    assert lines[1] == "# message: two lines"
    table = [line.split(",") for line in lines[2:]]
    assert set(table[0]) == {"mode", "time", "variance", "recruitment_time", "conserved_1"}
    assert len(table) == 1 + 6
    assert float(table[3][table[0].index("variance")]) == 1 / 3


def test_json_is_valid_and_exact(dataset, tmp_path):
    text = save(dataset, tmp_path / "run.json").read_text(encoding="utf-8")
    read = json.loads(text, parse_constant=pytest.fail)
    assert read["data_vars"]["variance"]["data"] == [[0.1, 0.2, 1 / 3], [1.0, None, 2.0]]


def test_an_existing_file_is_kept_unless_forced(dataset, tmp_path):
    path = tmp_path / "run.json"
    path.write_text("precious")
    with pytest.raises(OutputExists, match="force=True"):
        save(dataset, path)
    assert path.read_text() == "precious"
    save(dataset, path, force=True)
    assert path.read_text() != "precious"


IMPOSSIBLE = ["run.txt", "run", "nowhere/run.nc", "folder.nc", "", "n" * 300 + ".nc"]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_outputs_are_refused(tmp_path, name):
    (tmp_path / "folder.nc").mkdir()
    with pytest.raises(OutputExists):
        check_output(tmp_path / name, (".nc",))


def test_a_folder_in_which_no_file_can_be_made_is_refused_before_any_work():
    with pytest.raises(OutputExists, match="cannot be written"):
        check_output("/proc/run.nc", (".nc",))  # where permissions say that it can


def test_trying_whether_a_file_can_be_written_leaves_nothing_behind(tmp_path):
    check_output(tmp_path / "run.nc", (".nc",))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("no\nroom")]
)
def test_what_stops_a_write_is_said_in_one_sentence(tmp_path, error):
    def fail(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(
        OSError, match=r"run.nc could not be written: .+ Nothing is left"
    ) as failure:
        write_atomically(tmp_path / "run.nc", False, fail)
    assert "\n" not in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    def fail(part: Path) -> None:
        part.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "run.nc", False, fail)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appeared_meanwhile_is_kept(tmp_path):
    path = tmp_path / "run.nc"

    def meanwhile(part: Path) -> None:
        part.write_text("new")
        path.write_text("precious")

    with pytest.raises(OutputExists):
        write_atomically(path, False, meanwhile)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_fresh_paths_count_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fresh_path("run", ".nc").name == "run.nc"
    (tmp_path / "run.nc").touch()
    (tmp_path / "run-2.nc").touch()
    assert fresh_path("run", ".nc").name == "run-3.nc"


def test_what_is_not_a_result_is_refused(tmp_path):
    (tmp_path / "run.nc").write_text("no")
    (tmp_path / "folder.nc").mkdir()
    for name, word in {"run": "saved as", "missing": "not exist", "folder": "a folder"}.items():
        with pytest.raises(UnreadableFile, match=word) as refusal:
            load(tmp_path / f"{name}.nc")
        assert "\n" not in str(refusal.value)
