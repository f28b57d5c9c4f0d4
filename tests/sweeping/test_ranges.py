"""Claims about ranges: they are read, never run, and refused in a sentence."""

import numpy as np
import pytest

from eigendyn.errors import InvalidSetting
from eigendyn.sweeping.ranges import Range, read_range


def test_a_range_is_what_numpy_spaces():
    np.testing.assert_array_equal(read_range("x", "0:0.3:7").values, np.linspace(0, 0.3, 7))
    np.testing.assert_array_equal(read_range("x", "1e-3:1:5log").values, np.geomspace(1e-3, 1, 5))
    assert read_range("x", "2:2:1").values == [2.0]
    assert read_range("x", "0.1") is None
    for text in ("0:0.5:7", "0.001:1:5log", "0:1", "0.001:1:log"):
        assert read_range("x", str(read_range("x", text))) == read_range("x", text)


def test_a_range_that_a_design_draws_from_reaches_both_ends():
    shares = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(Range(1, 3, None).at(shares), [1, 2, 3])
    np.testing.assert_allclose(Range(1e-4, 1, None, True).at(shares), [1e-4, 1e-2, 1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.3:0:200", "smaller number to the larger one, not 0.3:0:200. Try 0:0.3:200"),
        ("1:1:5", "Try the number 1 alone"),
        ("0:1:0", "needs two points"),
        ("0:1:1", "needs two points"),
        ("0:1:5log", "must be positive"),
        ("0:1:5.5", "start:stop:count"),
        ("0:1:-5", "start:stop:count"),
        ("0:1:5:6", "start:stop:count"),
        ("a:b:3", "start:stop:count"),
        ("0:nan:3", "start:stop:count"),
        ("0:__import__('os').getpid():3", "start:stop:count"),
    ],
)
def test_a_range_that_is_none_is_refused_in_a_sentence(text, said):
    with pytest.raises(InvalidSetting, match=f"`weight_decay`.*{said}|{said}"):
        read_range("weight_decay", text)
