"""Claims about the equations of a loss: a name and settings stand for one system."""

import numpy as np
import pytest

from eigendyn.errors import InvalidSetting
from eigendyn.simulation.equations import equations


def test_the_equations_of_a_name_are_found_once():
    first = equations("cosine", {"sigma1": 0.2})
    assert equations("cosine", {"sigma1": 0.2}) is first
    assert equations("cosine", {"sigma1": 0.3}).chosen.sigma1 == 0.3


def test_settings_that_are_equal_but_of_another_kind_are_checked_by_themselves():
    equations("cosine", {"stop_gradient": True})
    with pytest.raises(InvalidSetting):
        equations("cosine", {"steps": True})
    equations("cosine", {"steps": 1})
    with pytest.raises(InvalidSetting):
        equations("cosine", {"steps": True})


def test_settings_that_cannot_be_looked_up_are_refused_in_words():
    with pytest.raises(InvalidSetting):
        equations("cosine", {"steps": np.array([1, 2])})
