"""Claims about results, on mode equations with exact solutions."""

import json
import sys

import numpy as np
import pytest
import xarray
from labelled import label, logistic

import eigendyn
from eigendyn.results.dataset import kept_quantities, provenance


def test_outcomes_of_a_run_that_did_not_complete_are_unknown():
    times = np.linspace(0, 5, 11)
    for status in ("diverged", "inaccurate", "a status of tomorrow"):
        course = logistic([0.1, 0.9], times)
        if status == "diverged":
            course[0, -1] = np.inf
        result = label(course, times, status=status, scale_free=True, weight_decay=0.1)
        assert result["outcome"].values.tolist() == ["unknown"] * 2


def test_the_result_says_what_outcomes_are_measured_by():
    times = np.linspace(0, 100, 101)
    start = np.array([[1.0], [0.01]])
    falling = start * np.exp(-0.2 * times)
    shares, absolute = (label(falling, times, scale_free=free)["outcome"] for free in (True, False))
    assert shares.attrs["size"] == "share of the total variance"
    assert shares.values.tolist() == ["relaxed", "stationary"]
    assert absolute.attrs["size"] == "variance"
    assert absolute.values.tolist() == ["collapsed"] * 2


def test_modes_keep_their_input_order():
    times = np.linspace(0, 5, 11)
    start = [0.5, 0.01, 2.0, 0.2]
    result = label(logistic(start, times), times)
    np.testing.assert_allclose(result["variance"].isel(time=0), start, rtol=1e-14)
    assert result["variance"].dims == ("mode", "time")
    assert result["mode"].values.tolist() == [0, 1, 2, 3]


def test_step_is_time_over_learning_rate():
    times = 0.3 * np.arange(0, 1501, 5)
    result = label(np.ones((1, len(times))), times, learning_rate=0.3)
    assert result["step"].values.tolist() == list(range(0, 1501, 5))


def test_results_are_float64_even_of_float32_runs():
    times = np.linspace(0, 5, 11, dtype=np.float32)
    result = label(logistic([0.1], times).astype(np.float32), times)
    for name in ("singular_value", "variance", "predictor_eigenvalue", "time"):
        assert result[name].dtype == np.float64


def test_drift_is_relative_to_the_start_and_the_largest_along_the_way():
    times = np.arange(3.0)
    conserved = {"sum of variances": np.array([2.0, 2.5, 1.9])}
    result = label(np.ones((2, 3)), times, conserved=conserved)
    assert kept_quantities(result)["sum of variances"].attrs["relative_drift"] == 0.25


def test_an_infinite_quantity_that_stays_has_not_drifted():
    times = np.arange(3.0)
    result = label(np.ones((2, 3)), times, conserved={"log": np.full(3, -np.inf)})
    assert result["conserved_1"].relative_drift == 0


@pytest.mark.parametrize("method", ["compiled", "implicit", "steps"])
def test_what_drifts_does_not_depend_on_what_is_saved(method):
    tolerances = {} if method == "steps" else {"rtol": 1e-3, "atol": 1e-6}
    few, many = (
        eigendyn.simulate(
            "cosine", [0.05, 1.0, 3.0], method=method, steps=100, saves=saves, **tolerances
        )
        for saves in (2, 101)
    )
    drift = few.conserved_1.relative_drift
    assert drift == pytest.approx(many.conserved_1.relative_drift, rel=1e-9)
    assert drift > 1e-9
    for run in (few, many):
        saved = abs(run.conserved_1 / run.conserved_1[0] - 1).max()
        assert drift >= float(saved) * (1 - 1e-9)


def test_several_conserved_things_repeat_no_row_of_the_table():
    run = eigendyn.simulate("cosine", [0.3, 1.0], predictor="learned", steps=20, saves=5)
    assert len(kept_quantities(run)) == 3
    table = run.to_dataframe()
    assert len(table) == 2 * 5
    assert table.index.names == ["mode", "time"]
    assert table["conserved_2"].loc[0].tolist() == run.conserved_2.values.tolist()


@pytest.mark.parametrize("conserved", [{}, {"Σ v": np.ones(11)}])
def test_netcdf_holds_the_result_unchanged(tmp_path, monkeypatch, conserved):
    monkeypatch.setattr(sys, "argv", ["eigendyn", "not\udcffutf8"])
    times = np.linspace(0, 5, 11)
    result = label(logistic([0.1, 0.5], times), times, conserved=conserved)
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as loaded:
        xarray.testing.assert_identical(result, loaded.load())


@pytest.mark.parametrize(
    "conserved", [{}, {"Σ v": np.ones(11)}, {"a": np.ones(11), "b": np.ones(11)}]
)
def test_a_table_has_a_row_for_every_mode_and_time(conserved):
    times = np.linspace(0, 5, 11)
    result = label(logistic([0.1, 0.5], times), times, conserved=conserved)
    table = result.to_dataframe()
    assert table.index.names == ["mode", "time"]
    assert len(table) == 2 * 11
    assert table["variance"].loc[(1, 0.0)] == pytest.approx(0.5)
    assert table["variance"].unstack("mode").shape == (11, 2)


def test_every_variable_has_a_name_and_a_unit():
    result = label(np.ones((2, 3)), np.arange(3.0))
    for name in result.variables:
        assert result[name].attrs["long_name"]
        assert "units" in result[name].attrs


def test_the_result_says_how_it_was_made():
    result = label(np.ones((2, 3)), np.arange(3.0), status="diverged", message="Try less.")
    assert result.attrs["status"] == "diverged"
    assert result.attrs["message"] == "Try less."
    assert json.loads(result.attrs["settings"])["learning_rate"] == 0.1
    versions = json.loads(result.attrs["versions"])
    assert (versions["eigendyn"], versions["numpy"]) == (eigendyn.__version__, np.__version__)
    assert result.attrs["created"].endswith("+00:00")
    assert "found" in result["recruitment_time"].attrs


def test_provenance_names_the_program_and_no_folder(monkeypatch):
    for path in ("/home/me/bin/eigendyn", "/home/me/eigendyn/__main__.py"):
        monkeypatch.setattr("sys.argv", [path, "simulate", "--loss", "cosine"])
        assert provenance("cpu", "float64")["command"] == "eigendyn simulate --loss cosine"
