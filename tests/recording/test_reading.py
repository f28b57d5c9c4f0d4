"""Claims about spectra in plain files: whatever wrote them, the same record is read."""

import numpy as np
import pandas as pd
import pytest

import eigendyn
from eigendyn.errors import EigendynError, InvalidSetting
from eigendyn.recording import as_record, read_record
from eigendyn.recording.record import record

TIMES = np.array([0.0, 0.5, 1.0, 3.0, 4.0])
STEPS = TIMES * 10
SPECTRA = np.array([0.1, 0.5, 1.0]) * np.exp(-np.array([0.3, -0.1, 0.2]) * TIMES[:, None])
NAMES = ["λ1", "λ2", "λ3"]
FRAME = pd.DataFrame(SPECTRA, columns=NAMES)
WITH_TIME = {  # by kind of file, writers of the same spectra at the same times
    "pandas, time": (".csv", lambda p: FRAME.assign(time=TIMES).to_csv(p, index=False)),
    "pandas, index and time": (".csv", lambda p: FRAME.assign(Time=TIMES).to_csv(p)),
    "pandas, index of times": (".csv", lambda p: FRAME.set_index(TIMES).to_csv(p)),
    "semicolons": (".csv", lambda p: FRAME.assign(t=TIMES).to_csv(p, sep=";", decimal=",")),
    "gzipped": (".csv.gz", lambda p: FRAME.assign(time=TIMES).to_csv(p)),
    "no heading": (".txt", lambda p: np.savetxt(p, np.column_stack([TIMES, SPECTRA]))),
    "step and rate": (".tsv", lambda p: FRAME.assign(step=STEPS, lr=0.1).to_csv(p, sep="\t")),
    "one array": (".npy", lambda p: np.save(p, np.column_stack([TIMES, SPECTRA]))),
    "arrays": (".npz", lambda p: np.savez(p, time=TIMES, eigenvalues=SPECTRA)),
    "any name": (".npz", lambda p: np.savez(p, times=TIMES, h=SPECTRA, note=np.array("x"))),
}


@pytest.mark.parametrize("kind", WITH_TIME)
def test_the_same_record_is_read_whatever_wrote_it(kind, tmp_path):
    suffix, write = WITH_TIME[kind]
    write(path := tmp_path / f"run{suffix}")
    record = read_record(path)
    assert np.allclose(record["time"], TIMES, rtol=1e-14, atol=0)
    assert np.allclose(record["variance"], SPECTRA.T, rtol=1e-14, atol=0)
    assert record.attrs["kind"] == "recorded spectrum"


def test_steps_are_the_time_where_no_rate_is_known(tmp_path):
    FRAME.assign(global_step=STEPS).to_csv(tmp_path / "run.csv", index=False)
    record = read_record(tmp_path / "run.csv")
    assert np.array_equal(record["time"], STEPS)
    assert record["time"].attrs["units"] == "steps"


def test_time_is_the_integral_of_a_rate_that_changes(tmp_path):
    rates = np.array([0.1, 0.2, 0.2, 0.05, 0.05])
    FRAME.assign(step=STEPS, learning_rate=rates).to_csv(tmp_path / "run.csv")
    held = [0.0, 5 * 0.1, 5 * 0.1 + 5 * 0.2, 5 * 0.1 + 25 * 0.2, 5 * 0.1 + 25 * 0.2 + 10 * 0.05]
    assert np.allclose(read_record(tmp_path / "run.csv")["time"], held, rtol=1e-14)


def test_a_growing_eigenvalue_is_no_time_where_all_columns_are_named_alike(tmp_path):
    growing = pd.DataFrame(SPECTRA[:, ::-1][::-1], columns=["v0", "v1", "v2"])
    assert (np.diff(growing["v0"]) > 0).all()
    growing.to_csv(tmp_path / "run.csv", index=False)
    record = read_record(tmp_path / "run.csv")
    assert record.sizes == {"mode": 3, "time": 5}
    assert "counted" in record.attrs["time_taken_from"]


def test_a_guessed_time_is_said(tmp_path):
    np.save(tmp_path / "run.npy", np.column_stack([TIMES, SPECTRA]))
    record = read_record(tmp_path / "run.npy")
    assert record.attrs["time_taken_from"] == "column 1, which increases"


def test_clocks_of_a_table_are_no_eigenvalues(tmp_path):
    frame = pd.DataFrame({"_timestamp": [1.7e9, 1.7e9 + 5], "step": [0, 10], "v0": [0.5, 0.6]})
    frame = frame.assign(_runtime=[1.0, 6.0], v1=[0.1, 0.2], **{"Wall time": [3.0, 8.0]})
    frame.to_csv(tmp_path / "run.csv", index=False)
    found = read_record(tmp_path / "run.csv")
    assert found["variance"].values.tolist() == [[0.5, 0.6], [0.1, 0.2]]


def test_loss_and_missing_cells_of_a_table_are_kept(tmp_path):
    loss = np.array([np.nan, 3.0, 2.0, 1.0, 0.5])
    FRAME.assign(step=STEPS, loss=loss).to_csv(tmp_path / "run.csv")
    assert np.array_equal(read_record(tmp_path / "run.csv")["loss"], loss, equal_nan=True)


@pytest.mark.parametrize("suffix", ["nc", "csv"])
def test_a_saved_run_is_read_in_both_forms(suffix, tmp_path):
    run = eigendyn.simulate("euclidean", [0.1, 0.5], steps=20)
    eigendyn.save(run, tmp_path / f"run.{suffix}")
    record = read_record(tmp_path / f"run.{suffix}")
    for name in ("variance", "predictor_eigenvalue", "time", "step"):
        assert np.allclose(record[name], run[name], rtol=1e-14, atol=0)


WRONG = {
    "one recording": (lambda: SPECTRA[:1], "has 1 and 3"),
    "one mode": (lambda: SPECTRA[:, [1]][::-1], "two modes"),
    "not finite": (lambda: SPECTRA * [[1], [1], [1], [np.inf], [1]], "recording 4"),
    "too large": (lambda: SPECTRA * 1e120, r"below 1e\+100; in .* at recording \d"),
    "one line": (lambda: TIMES, "shape is"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_spectrum_over_time_is_refused_in_a_sentence(kind, tmp_path):
    make, said = WRONG[kind]
    np.save(tmp_path / "run.npy", make())
    with pytest.raises(InvalidSetting, match=said):
        read_record(tmp_path / "run.npy")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (FRAME.assign(time=TIMES[::-1]), "must increase; 4 is followed by 3"),
        (FRAME.assign(time=[0, 1, 1, 2, 3]), "must increase"),
        (FRAME.assign(time=TIMES * 1e60), r"below 1e\+50; they go from"),
        (FRAME.assign(time=TIMES * 1e-60), "1e-50 apart at least"),
        (FRAME.assign(time=[0, 1, None, 2, 3]), "time is nan at recording 3"),
        (FRAME.assign(time=TIMES).replace({SPECTRA[2, 1]: "high"}), "is 'high'"),
        (pd.DataFrame({"mode": [0, 1, 0], "time": [0, 0, 1], "variance": 1.0}), "3 rows for 2"),
    ],
)
def test_a_table_that_is_wrong_is_refused_in_a_sentence(frame, said, tmp_path):
    frame.to_csv(tmp_path / "run.csv", index=False)
    with pytest.raises(EigendynError, match=said):
        read_record(tmp_path / "run.csv")


@pytest.mark.parametrize("name", ["none.csv", "none.nc", "run.xlsx", "", "folder.csv"])
def test_what_is_no_file_of_spectra_is_refused(name, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "run.xlsx").write_text("x")
    with pytest.raises(EigendynError):
        read_record(tmp_path / name)


def test_measured_data_are_no_record(tmp_path):
    eigendyn.save(eigendyn.data.digits(), tmp_path / "data.nc")
    with pytest.raises(InvalidSetting, match="holds no record"):
        read_record(tmp_path / "data.nc")


def test_variances_over_time_without_steps_are_no_record():
    fitted = record({"variance": np.ones((2, 3))}, STEPS[:3], STEPS[:3], title="a fit")
    fitted.attrs["kind"] = "a fit"
    with pytest.raises(InvalidSetting, match="must be a record"):
        as_record(fitted.drop_vars("step"))
