"""Claims about what scripts and terminals are told."""

import json

import numpy as np
import pytest
from labelled import label, logistic

from eigendyn.show.report.run import summary, table

TIMES = np.linspace(0, 30, 61)


def test_summary_is_json_in_full_precision_and_input_order():
    start = [0.5, 1e-3, 0.1 + 0.2]
    result = label(logistic(start, TIMES), TIMES, conserved={"q": np.ones(61)})
    told = json.loads(json.dumps(summary(result), allow_nan=False))
    assert told["schema_version"] == 1
    assert told["loss"] == "cosine"
    assert told["method"] == "flow"
    assert told["closure"] == "exact moments"
    assert told["time"] == 30
    assert told["status"] == "completed"
    assert told["variances_initial"] == result["variance"].values[:, 0].tolist()
    assert told["variances_final"] == result["variance"].values[:, -1].tolist()
    assert told["recruitment_time"] == result["recruitment_time"].values.tolist()
    assert told["conserved"] == [{"name": "q", "initial": 1.0, "final": 1.0, "relative_drift": 0.0}]


def test_what_is_undefined_is_null():
    result = label(np.array([[1.0, 0.0], [1.0, np.inf]]), np.array([0.0, 1.0]))
    result.attrs["closure_error"] = np.nan
    told = summary(result)
    assert told["recruitment_time"] == [None, None]
    assert told["variances_final"] == [0.0, None]
    assert told["closure_error"] is None


def test_table_has_one_row_for_each_mode():
    start = [0.5, 0.0, 1e-3]
    with np.errstate(divide="ignore"):
        result = label(logistic(start, TIMES), TIMES)
    lines = table(result).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["0", "1", "2"]
    assert [line.split()[3] for line in lines[1:4]] == ["relaxed", "collapsed", "recruited"]
    assert lines[2].split()[-2:] == ["–", "–"]


def test_table_of_many_modes_shows_the_first_and_last_and_counts_all():
    start = np.linspace(0.01, 2, 5000)
    text = table(label(logistic(start, TIMES), TIMES))
    assert len(text.splitlines()) < 25
    at_least_half = int((start >= 0.5).sum())  # of the largest, which all of them become
    assert f"{at_least_half} relaxed, {5000 - at_least_half} recruited" in text
    assert "4999" in text


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (3e-12, "moments, error 3.0e-12: exact"),
        (0.0, "moments, exact"),
        (np.nan, "moments, error exact"),
    ],
)
def test_table_says_how_far_the_numbers_can_be_trusted(error, shown):
    conserved = {"sum of variances": np.linspace(1, 1.001, 61)}
    result = label(logistic([0.5], TIMES), TIMES, conserved=conserved)
    result.attrs["closure_error"] = error
    text = table(result)
    assert shown in text
    assert "sum of variances: 1 → 1.001, relative drift 1.0e-03" in text
    assert "completed at time 30, step 300" in text


def test_table_tells_of_numerical_failure():
    failure = {"status": "diverged", "message": "Try a smaller `learning_rate`."}
    text = table(label(logistic([0.5], TIMES), TIMES, **failure))
    assert "diverged at time 30, step 300. Try a smaller `learning_rate`." in text
