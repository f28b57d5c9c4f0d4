"""Claims about stores: whoever stops whenever, the sweep goes on to the same bytes."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray
import zarr
from sweeping.small import QUICK, RATES, START, small_plan, stored

import eigendyn
from eigendyn.errors import InvalidSetting, OutputExists, UnreadableFile
from eigendyn.sweeping import work as working
from eigendyn.sweeping.lock import locked
from eigendyn.sweeping.status import status
from eigendyn.sweeping.store import LOCK, Store, open_store, read_store
from eigendyn.sweeping.work import work

WORK = """
from pathlib import Path
import sys
from sweeping.small import small_plan
from eigendyn.sweeping.work import work
work(small_plan(), Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a sweep that nothing has stopped stores."""
    path = tmp_path_factory.mktemp("whole") / "a.zarr"
    work(small_plan(), path)
    return stored(path)


class Stopped(BaseException):
    """The machine stops."""


@pytest.mark.parametrize(
    "stop", [3, 13, *(pytest.param(one, marks=pytest.mark.full) for one in (0, 5, 6, 7, 20))]
)
def test_a_sweep_that_stops_at_any_write_goes_on_to_the_same_bytes(
    stop, tmp_path, whole, monkeypatch
):
    path, put, writes = tmp_path / "a.zarr", Store._put, []

    def stopping(store, name, place, values):
        if len(writes) == stop:
            part = store._file(name, place).with_suffix(".0123.partial")
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(b"half of it")
            raise Stopped
        writes.append(name)
        put(store, name, place, values)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "_put", stopping)
        with pytest.raises(Stopped):
            work(small_plan(), path)
    done = read_store(path).marks()
    assert done.sum() == stop // 7  # six variables and a mark for each chunk
    followed = []
    follow = working.followed_chunk

    def counted(plan, number, threads):
        followed.append(number)
        return follow(plan, number, threads)

    monkeypatch.setattr(working, "followed_chunk", counted)
    work(small_plan(), path)
    assert sorted(followed) == np.flatnonzero(~done).tolist()  # side by side, none that was done
    assert stored(path) == whole


@pytest.mark.full
def test_a_killed_sweep_goes_on_to_the_same_bytes(tmp_path, whole):
    path = tmp_path / "a.zarr"
    folders = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(path)], env={**os.environ, "PYTHONPATH": folders}
    )
    while not list(path.glob("chunks/done/c/*/*")) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = read_store(path).marks()
    assert done.any()
    before = {file: file.stat().st_mtime_ns for file in path.glob("chunks/done/c/*/*")}
    work(small_plan(), path)  # no lock is left
    assert all(file.stat().st_mtime_ns == when for file, when in before.items())
    assert stored(path) == whole
    assert [one.name for one in tmp_path.iterdir()] == ["a.zarr"]


def test_shards_write_what_one_sweep_writes_side_by_side(tmp_path, whole):
    path = tmp_path / "a.zarr"
    work(small_plan(), path, shard=(2, 3))
    found = status(path)
    assert found.missing == [0, 2, 3]
    assert found.trajectories == 6
    assert found.box(2)["learning_rate"] == [0.2, 0.2]
    assert found.box(2)["weight_decay"] == [0.0, 0.3]
    data = xarray.open_zarr(path, consolidated=False)
    assert np.isnan(data.final_variance.isel(learning_rate=0)).all()
    assert (data.outcome.isel(learning_rate=0) == -1).all()
    assert "not-run" in data.outcome.flag_meanings
    in_use = pytest.raises(InvalidSetting, match="Another sweep is writing")
    with locked(path / LOCK, [1], path), in_use:
        work(small_plan(), path)
    for part in (1, 3):
        work(small_plan(), path, shard=(part, 3))
    assert stored(path) == whole


HOLD = """
import sys
from pathlib import Path
from eigendyn.sweeping.lock import locked
file = Path(sys.argv[1])
with locked(file, [1, 2, 7], file):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_hold_the_same_chunk_and_a_killed_one_holds_none(tmp_path):
    file = tmp_path / "lock"
    file.touch()
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with locked(file, [0, 3, 4, 5, 6, 8], file):
            pass
        for number in (1, 2, 7):
            in_use = pytest.raises(InvalidSetting, match="Another sweep is writing")
            with in_use, locked(file, [0, number], file):
                pass
        other.kill()
    with locked(file, [0, 1, 2, 7], file):
        pass


def test_another_grid_or_version_is_refused_with_the_difference(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    open_store(path, small_plan())
    before = stored(path)
    with pytest.raises(InvalidSetting, match=r"steps is 60 there and 70 here.*Give the same"):
        work(small_plan(steps=70), path)
    with pytest.raises(InvalidSetting, match=r"learning_rate is .* there and .* here"):
        work(small_plan(learning_rate=RATES[:3]), path)
    with pytest.raises(InvalidSetting, match='loss is "euclidean" there and "cosine" here'):
        work(small_plan(loss="cosine"), path)
    monkeypatch.setattr("eigendyn.sweeping.plan.version", lambda _: "9.9")
    with pytest.raises(InvalidSetting, match=r'eigendyn is "[0-9.]+" there and "9.9" here'):
        work(small_plan(), path)
    assert stored(path) == before


def test_a_store_that_is_something_else_is_left_alone(tmp_path):
    other = tmp_path / "other.zarr"
    zarr.create_group(other, attributes={"mine": 1})
    with pytest.raises(UnreadableFile, match="is something else"):
        work(small_plan(), other)
    assert json.loads((other / "zarr.json").read_text())["attributes"] == {"mine": 1}
    with pytest.raises(UnreadableFile, match="does not exist"):
        status(tmp_path / "none.zarr")
    for path, said in (("a.nc", "ends in .zarr"), ("no/a.zarr", "does not. Make it first")):
        with pytest.raises(OutputExists, match=said):
            work(small_plan(), tmp_path / path)


def test_a_full_disk_marks_nothing_and_loses_nothing(tmp_path, whole, monkeypatch):
    path = tmp_path / "a.zarr"
    with monkeypatch.context() as patched:

        def full(_store, _name, place, _values):
            if place[0] == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            put(_store, _name, place, _values)

        put = Store._put
        patched.setattr(Store, "_put", full)
        with pytest.raises(OSError, match=r"No space left on device\. All chunks that are done"):
            work(small_plan(), path)
    assert read_store(path).marks()[:3].tolist() == [True, True, False]
    work(small_plan(), path)
    assert stored(path) == whole


def test_a_sweep_in_python_gives_a_dataset_that_says_what_it_is(tmp_path):
    path = tmp_path / "a.zarr"
    given = {"weight_decay": np.linspace(0, 0.1, 3), "predictor": "learned", "keep": ["final"]}
    tie = [("weight_decay", "predictor_decay")]
    found = eigendyn.sweep(
        ["euclidean", "cosine"], START, closure="mean-field", store=path, tie=tie, **given, **QUICK
    )
    assert dict(found.sizes) == {"loss": 2, "weight_decay": 3, "mode": 3}
    assert found.final_variance.dims == ("loss", "weight_decay", "mode")
    np.testing.assert_array_equal(found.predictor_decay, given["weight_decay"])
    assert "predictor_decay" in found.coords
    assert found.attrs["kind"] == "a sweep"
    told = json.loads(found.attrs["configuration"])
    assert told["settings"] == {"closure": "mean-field", "predictor": "learned", **QUICK}
    alone = eigendyn.ensemble(
        "cosine",
        [START],
        keep="final",
        closure="mean-field",
        predictor="learned",
        weight_decay=0.05,
        predictor_decay=0.05,
        **QUICK,
    )
    np.testing.assert_allclose(
        found.final_variance.sel(loss="cosine")[1],
        alone.singular_value[0, :, 0] ** 2,
        rtol=1e-4,
    )
    again = eigendyn.sweep(
        ["euclidean", "cosine"], START, closure="mean-field", store=path, tie=tie, **given, **QUICK
    )
    xarray.testing.assert_identical(found.load(), again.load())
