"""Claims about logs: what is recorded when, of which batches, and what is left of it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting, OutputExists, UnknownName
from eigendyn.recording import as_record, read_record
from eigendyn.recording.verdict import judge

DIMS = 4
LATE = 1000  # a step from which on recordings are whole multiples of `every` apart


def batch(step, size=64, dtype=np.float64, scale=1.0):
    rng = np.random.default_rng(step)
    x = rng.normal(size=(size, DIMS)) * [2, 1, 0.5, 0.2] * scale + 0.3
    return tuple((x + 0.1 * rng.normal(size=x.shape)).astype(dtype) for _ in range(2))


def train(log, steps, **told):
    return [log.observe(*batch(step), step=step, **told) for step in steps]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.nc"


def test_a_recording_is_of_the_last_batches_before_it(path):
    log = eigendyn.SpectrumLog(path, every=20, samples=256)
    train(log, range(50))
    record = log.record
    steps = [3, 10, 15, 20, 25, 30, 35, 40, 45]
    assert record["step"].values.tolist() == steps
    assert (record["samples"] == 256).all()
    for place, last in enumerate(steps):
        pairs = [batch(step) for step in range(last - 3, last + 1)]
        z1, z2 = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        cross = np.cov(z1.T, z2.T)[:DIMS, DIMS:]
        values = np.linalg.eigvalsh((cross + cross.T) / 2)[::-1]
        assert np.allclose(record["variance"][:, place], values, rtol=1e-12)


def test_a_recording_has_ten_samples_a_dimension_and_a_thousand_at_least(path):
    log = eigendyn.SpectrumLog(path, every=50)
    train(log, range(101))
    assert (log.record["samples"] == 1024).all()
    log = eigendyn.SpectrumLog(path, every=8, force=True)
    train(log, range(30))
    assert log.record["samples"].values.max() == 8 * 64  # no batch is of two recordings
    wide = np.random.default_rng(0).normal(size=(500, 120))
    log = eigendyn.SpectrumLog(path, every=8, force=True)
    for _ in range(5):
        log.observe(wide, wide)
    assert log.record["samples"].item() == 1500


def test_batches_outside_of_the_window_are_not_looked_at(path):
    class Batch:
        shape = (64, DIMS)

        def __array__(self, dtype=None, copy=None):
            raise AssertionError

    log = eigendyn.SpectrumLog(path, every=20, samples=64)
    recorded = [LATE, LATE + 20, LATE + 40]
    for step in range(LATE, LATE + 41):
        views = batch(step) if step in recorded else (Batch(), Batch())
        log.observe(*views, step=step)
    assert log.record["step"].values.tolist() == recorded


def test_early_recordings_are_closer_and_each_has_its_samples(path):
    log = eigendyn.SpectrumLog(path, every=100, samples=256)
    train(log, range(1001))
    steps, samples = (log.record[name].values for name in ("step", "samples"))
    assert (samples == 256).all()
    assert set(range(100, 1001, 100)) <= set(steps)
    assert steps[:10].tolist() == [3, 13, 19, 25, 32, 38, 44, 50, 57, 63]
    gaps = np.diff(steps)
    assert (gaps <= np.maximum(steps[1:] / 4, 10)).all()
    assert gaps.max() == 100
    assert len(steps) < 10 + 25


def test_whoever_calls_now_and_then_has_a_recording_of_each_call(path):
    log = eigendyn.SpectrumLog(path, every=100)
    train(log, [0, 100, 200, 300])
    assert log.record["step"].values.tolist() == [0, 100, 200, 300]
    assert (log.record["samples"] == 64).all()
    assert "batch_size" not in log.record


def test_batches_of_one_step_are_taken_together(path):
    """As where gradients are accumulated."""
    log = eigendyn.SpectrumLog(path, every=4, samples=256)
    for step in range(9):
        for part in range(4):
            log.observe(*batch(10 * step + part), step=step, learning_rate=0.5)
    assert np.allclose(log.record["time"], 0.5 * log.record["step"])
    assert log.record["samples"].values.min() >= 64
    assert log.record["batch_size"].values[-1] == pytest.approx(256, rel=0.1)


def test_time_is_the_integral_of_the_rate_that_is_held_until_the_next_call(path):
    rates = 0.1 * 0.9 ** np.arange(41)
    log = eigendyn.SpectrumLog(path, every=20, samples=64)
    for step, rate in enumerate(rates):
        log.observe(*batch(step), learning_rate=rate)
    steps = log.record["step"].values.astype(int)
    assert np.allclose(log.record["time"], [rates[:step].sum() for step in steps], rtol=1e-14)
    assert np.allclose(log.record["learning_rate"], rates[steps])


def test_without_a_rate_time_is_in_steps_and_the_record_says_so(path):
    log = eigendyn.SpectrumLog(path, every=20, samples=64)
    train(log, range(5, 50))
    assert np.array_equal(log.record["time"], log.record["step"])
    assert log.record["time"].attrs["units"] == "steps"
    assert "no learning rate" in log.record.attrs["time_taken_from"]


def test_nothing_is_recorded_while_nothing_is_learned(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    for step in range(41):
        rate = 0.1 if step < 15 else 0.0
        log.observe(*batch(step), step=LATE + step, learning_rate=rate)
    for step in range(60, 81):
        log.observe(*batch(step), step=LATE + step, learning_rate=0.1)
    assert (log.record["step"].values - LATE).tolist() == [0, 10, 20, 61, 70, 80]


def test_the_loss_is_the_mean_since_the_last_recording(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    for step in range(21):
        log.observe(*batch(step), step=LATE + step, loss=float(step))
    assert log.record["loss"].values.tolist() == [0, np.mean(range(1, 11)), np.mean(range(11, 21))]


def test_the_file_is_the_record_and_is_read_by_all_who_read_records(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=64, tensor="projection")
    checks = train(log, range(31), learning_rate=0.1, predictor=np.eye(DIMS))
    stored = eigendyn.load(path)
    assert stored.identical(log.record)
    assert as_record(stored) is stored
    assert read_record(path).identical(stored)
    assert stored.attrs["tensor"] == "projection"
    assert stored.attrs["dimensions"] == DIMS
    assert checks[30] == judge(stored)
    assert {name for name in stored if name in eigendyn.recording.MEASURES} == {
        *eigendyn.recording.MEASURES
    } - {"loss", "target_variance", "mixed_shared"}


def test_a_record_saved_as_a_table_has_a_row_for_each_mode_and_time(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    train(log, range(LATE, LATE + 31), learning_rate=0.1)
    table = path.with_suffix(".csv")
    eigendyn.save(eigendyn.load(path), table)
    lines = [line for line in table.read_text("utf-8").splitlines() if line[0] != "#"]
    assert len(lines) == 1 + DIMS * 4
    again = read_record(table)
    for name in ("variance", "noise1", "told_apart", "time", "step"):
        assert np.allclose(again[name], log.record[name], rtol=1e-14, equal_nan=True)


def test_a_constant_output_reads_as_collapse(path):
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    for _ in range(21):
        log.observe(*(np.full((64, DIMS), 0.7, np.float32) for _ in range(2)))
    assert (log.record["mean_share"] == 1).all()
    assert (log.record["total_variance"] == 0).all()
    assert (log.record["rankme_of_centred_eigenvalues"] == 0).all()
    assert np.isfinite(log.record["signal_share"]).all()


@pytest.mark.parametrize(("size", "dims"), [(1, 4), (2, 1), (8, 30), (1, 1)])
def test_fewer_samples_than_dimensions_are_recorded_and_said(path, size, dims):
    log = eigendyn.SpectrumLog(path, every=1)
    for step in range(3):
        z = np.random.default_rng(step).normal(size=(size, dims))
        log.observe(z, z + 0.1 * z[:, ::-1], predictor=np.eye(dims))
    assert np.allclose(log.record["dimensions_per_sample"], dims / size)
    for name in ("variance", "noise1", "signal_share", "commutator", "total_variance"):
        assert np.isfinite(log.record[name]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, "int32"])
def test_numbers_of_any_kind_are_taken(path, dtype):
    log = eigendyn.SpectrumLog(path, every=10, samples=64)
    log.observe(*batch(0, dtype=dtype, scale=10))
    z1 = batch(0, dtype=dtype, scale=10)[0].astype(np.float64)
    assert np.isclose(log.record["total_variance"], np.cov(z1.T).trace(), rtol=1e-12)


@pytest.mark.parametrize("restart", [31, 25])
def test_a_restarted_run_goes_on_as_if_it_had_not_been_stopped(path, tmp_path, restart):
    whole = eigendyn.SpectrumLog(tmp_path / "whole.nc", every=10, samples=128)
    train(whole, range(LATE, LATE + 50), learning_rate=0.1)
    stopped = range(LATE, LATE + 37)
    train(eigendyn.SpectrumLog(path, every=10, samples=128), stopped, learning_rate=0.1)
    again = eigendyn.SpectrumLog(path, every=10, samples=128, resume=True)
    train(again, range(LATE + restart, LATE + 50), learning_rate=0.1)  # from a checkpoint
    assert again.record["step"].values.tolist() == whole.record["step"].values.tolist()
    for name in whole.record.data_vars:
        one, other = again.record[name], whole.record[name]
        turned = 0.1 if name == "overlap" and restart < 30 else 0  # against what came later
        assert np.allclose(one, other, rtol=1e-6 + turned, equal_nan=True), name


def test_after_a_gap_a_window_fills_before_it_is_recorded(path):
    first, second = range(LATE, LATE + 31), range(LATE + 45, LATE + 61)
    train(eigendyn.SpectrumLog(path, every=10, samples=128), first, learning_rate=0.1)
    again = eigendyn.SpectrumLog(path, every=10, samples=128, resume=True)
    train(again, second, learning_rate=0.1)
    assert (again.record["step"].values - LATE).tolist() == [1, 10, 20, 30, 50, 60]
    assert (again.record["samples"] == 128).all()
    train(eigendyn.SpectrumLog(path, every=100, force=True), [0, 100, 200])
    train(again := eigendyn.SpectrumLog(path, every=100, resume=True), [300, 400])
    assert again.record["step"].values.tolist() == [0, 100, 200, 300, 400]


def test_an_existing_file_is_kept_unless_it_is_resumed_or_replaced(path):
    train(eigendyn.SpectrumLog(path, every=10, samples=64), range(31))
    with pytest.raises(OutputExists, match=r"resume=True.*force=True"):
        eigendyn.SpectrumLog(path)
    before = path.read_bytes()
    log = eigendyn.SpectrumLog(path, every=10, samples=64, resume=True)
    with pytest.raises(OutputExists, match="another name"):
        log.observe(*batch(0), step=0)  # another run from its beginning
    with pytest.raises(InvalidSetting, match=r"log of 'features'"):
        eigendyn.SpectrumLog(path, tensor="features", resume=True)
    with pytest.raises(InvalidSetting, match="either"):
        eigendyn.SpectrumLog(path, resume=True, force=True)
    assert path.read_bytes() == before
    train(eigendyn.SpectrumLog(path, every=10, samples=64, force=True), range(2))
    assert read_record(path).sizes["time"] == 1


def test_what_is_no_log_is_not_resumed(path):
    eigendyn.save(eigendyn.simulate("euclidean", [0.1, 1.0], steps=9), path)
    with pytest.raises(InvalidSetting, match=r"must be a log of 'embedding'"):
        eigendyn.SpectrumLog(path, resume=True)


def infinite(z):
    z = z.copy()
    z[3, 1] = np.inf
    return z


Z = batch(0)[0]
WRONG = {
    "shapes": ((Z, Z[:-1]), {}, r"one shape.*\(64, 4\).*\(63, 4\)"),
    "a vector": ((Z[0], Z[0]), {}, r"must be a matrix; its shape is \(4,\)"),
    "text": (("z1", "z2"), {}, "real numbers"),
    "nothing": ((None, None), {}, "real numbers"),
    "complex": ((Z + 1j, Z), {}, "real numbers"),
    "infinite": (
        (infinite(Z.astype(np.float16)), Z),
        {},
        r"at step 1 1 of the 256 numbers of 'embedding' are not.*65504.*kept",
    ),
    "nan": ((Z, np.full_like(Z, np.nan)), {}, r"`z2`.*256 of the 256.*diverged"),
    "other dimensions": ((Z[:, :3], Z[:, :3]), {}, "3 follow 4"),
    "a predictor of another shape": ((Z, Z), {"predictor": np.eye(3)}, "4 × 4"),
    "a predictor that is none": ((Z, Z), {"predictor": "linear"}, "`predictor`"),
    "a sum of squares without bound": (
        (1e200 * Z, Z),
        {},
        "squares of 'embedding' is beyond",
    ),
    "a loss of each sample": ((Z, Z), {"loss": Z[:, 0]}, r"`loss` must be one number; .*\(64,\)"),
    "a loss that is none": ((Z, Z), {"loss": "low"}, "`loss` must be a number"),
    "a step without end": ((Z, Z), {"step": np.nan}, "`step` must be finite"),
    "a step back": ((Z, Z), {"step": -1}, "must not go back; 0 is followed by -1"),
    "a step that is none": ((Z, Z), {"step": "last"}, "`step` must be a number"),
    "a late rate": ((Z, Z), {"learning_rate": 0.1}, "from the first call on"),
    "a negative rate": ((Z, Z), {"learning_rate": -0.1}, "≥ 0"),
    "a list of rates": ((Z, Z), {"learning_rate": [0.1, 0.2]}, "`learning_rate` must be a number"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_batch_is_refused_in_a_sentence_and_the_log_keeps_what_it_has(path, kind):
    views, told, said = WRONG[kind]
    log = eigendyn.SpectrumLog(path, every=1, samples=64)
    log.observe(Z, Z)
    before = path.read_bytes()
    with pytest.raises(InvalidSetting, match=said):
        log.observe(*views, **told)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    log.observe(Z, Z)
    assert log.record.sizes["time"] == 2


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"path": "run.csv"}, OutputExists, r"\.nc"),
        ({"path": "none/run.nc"}, OutputExists, "folder"),
        ({"path": 3}, InvalidSetting, "path"),
        ({"path": "run.nc", "every": 0}, InvalidSetting, "`every`"),
        ({"path": "run.nc", "samples": 1}, InvalidSetting, "`samples`"),
        ({"path": "run.nc", "evry": 10}, UnknownName, "every"),
    ],
)
def test_a_log_that_cannot_be_is_refused_before_training(tmp_path, monkeypatch, given, error, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=said):
        eigendyn.SpectrumLog(**given)
    assert not list(tmp_path.iterdir())


def test_a_log_without_a_recording_says_so(path):
    log = eigendyn.SpectrumLog(path)
    log.observe(Z, Z)
    with pytest.raises(InvalidSetting, match="none yet"):
        _ = log.record
    assert not path.exists()


LOOP = """
import sys
import numpy as np
import eigendyn
log = eigendyn.SpectrumLog(sys.argv[1], every=2, samples=64, resume=True)
rng = np.random.default_rng(0)
step = int(sys.argv[2])
while True:
    z = rng.normal(size=(64, 40))
    log.observe(z, z + 0.1, step=step, learning_rate=0.1)
    step += 1
"""


@pytest.mark.parametrize("kills", [1, pytest.param(3, marks=pytest.mark.full)])
def test_a_run_that_is_killed_leaves_all_its_recordings(path, kills):
    begun = 0
    for kill in range(kills):
        command = [sys.executable, "-c", LOOP, str(path), str(begun)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        while process.poll() is None:
            if path.exists() and len(read_record(path)["step"]) >= 3 * (kill + 1):
                break
            time.sleep(0.02)
        time.sleep(0.001 * (7 * kill % 13))
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, process.stderr.read()
        process.stderr.close()
        record = read_record(path)
        steps = record["step"].values
        assert steps[0] == 0
        assert (np.diff(steps) <= 2).all()
        assert np.isfinite(record["variance"]).all()
        begun = int(steps[-1]) + 1
    path.with_name(".run-a1b2c3d4.nc").touch()  # of a run that was killed while it wrote
    eigendyn.SpectrumLog(path, every=2, resume=True)
    assert list(path.parent.iterdir()) == [path]
