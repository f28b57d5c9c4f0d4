"""Claims about results, on mode equations with exact solutions."""

import json
import sys

import numpy as np
import pytest
import xarray
from labelled import label, logistic

import eigendyn
from eigendyn.result import outcomes, provenance, recruitment_times


def test_recruitment_time_of_a_logistic_mode_is_its_inverse():
    """V = 0.95 at t = ln(19 (1/v₀ − 1)); the error falls with the square of the spacing."""
    start = np.array([1e-6, 1e-3, 0.1, 0.5, 0.9])
    exact = np.log(19 * (1 / start - 1))
    errors = []
    for saves in (601, 1201):
        times = np.linspace(0, 60, saves)
        found = recruitment_times(times, logistic(start, times))
        errors.append(np.abs(found - exact).max())
    assert errors[0] < 1e-3
    assert errors[1] < errors[0] / 3


def test_recruitment_time_of_exponential_relaxation_is_exact_between_saved_times():
    times = np.array([0.0, 10.0, 20.0, 700.0])
    variance = 1 + np.array([[3.0], [-0.5]]) * np.exp(-0.3 * times)
    expected = np.log(np.array([3.0, 0.5]) / 0.05) / 0.3
    np.testing.assert_allclose(recruitment_times(times, variance), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("variance", "expected"),
    [
        ([1.0, 1.0, 1.0], 0.0),
        ([0.96, 0.5, 1.0], 0.0),  # the first time counts, whatever follows
        ([0.0, 0.0, 2.0], 1.95),
        ([0.0, 2.0, 1.0], 0.475),  # through the band between two saved times
        ([3.0, 0.0, 0.0], np.nan),
        ([1.0, 1.0, np.inf], np.nan),
    ],
)
def test_recruitment_time_of_special_courses(variance, expected):
    found = recruitment_times(np.arange(3.0), np.array([variance]))
    np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize(
    ("variance", "expected"),
    [
        ([0.1, 1.0, 1.0], "recruited"),
        ([2.0, 0.97, 1.0], "recruited"),
        ([0.02, 0.0218, 0.0219], "growing"),  # slow, but far from taking part
        ([0.02, 0.02, 0.02], "stationary"),
        ([1e-3, 1e-3, 0.5], "growing"),
        ([1.0, 0.9, 0.8], "recruited"),  # still comparable to the largest
        ([1.0, 0.5, 0.4], "shrinking"),
        ([1.0, 1e-3, 1e-4], "collapsed"),
        ([0.0, 0.0, 0.0], "collapsed"),
        ([1e-8, 1e-8, 1.1e-8], "growing"),  # small, but on its way
        ([1.0, 1.0, np.inf], "growing"),
    ],
)
def test_outcome_of_a_mode_beside_one_of_variance_one(variance, expected):
    times = np.array([0.0, 95.0, 100.0])
    found = outcomes(times, np.array([variance, [1.0, 1.0, 1.0]]))
    assert found[0] == expected


def test_a_spectrum_that_vanishes_as_a_whole_has_collapsed():
    times = np.linspace(0, 100, 101)
    variance = np.array([[1.0], [2.0]]) * np.exp(-0.2 * times)
    assert set(outcomes(times, variance)) == {"collapsed"}


def test_a_spectrum_that_comes_to_rest_far_below_its_start_has_not_collapsed():
    times = np.linspace(0, 10, 101)
    falling = 1 + 1e6 * np.exp(-5 * times)
    assert outcomes(times, np.stack([falling, falling])).tolist() == ["recruited"] * 2


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
    assert result["conserved_drift"].sel(quantity="sum of variances").item() == 0.25


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
    whole = result.to_dataframe()
    assert len(whole) == 2 * 11 * max(1, len(conserved))
    table = result.drop_dims("quantity", errors="ignore").to_dataframe()
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
    assert "interpolation" in result["recruitment_time"].attrs


def test_provenance_names_the_program_and_no_folder(monkeypatch):
    for path in ("/home/me/bin/eigendyn", "/home/me/eigendyn/__main__.py"):
        monkeypatch.setattr("sys.argv", [path, "simulate", "--loss", "cosine"])
        assert provenance("cpu", "float64")["command"] == "eigendyn simulate --loss cosine"
