"""Claims about phase portraits: every layer draws what it returns, in the signs of the field."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from eigendyn.analysis.plane.motion import phase_plane
from eigendyn.analysis.plane.portrait import rests
from eigendyn.show.plot import phase


@pytest.fixture(scope="module")
def motion():
    return phase_plane("euclidean", weight_decay=0.1)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_nullclines_are_drawn_branch_by_branch(motion, ax):
    found = phase.draw_nullclines(motion, ax)
    drawn = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert [len(c.get_segments()) for c in drawn] == [len(branches) for branches in found] == [2, 2]


def test_fixed_points_are_filled_open_or_half_filled(motion, ax):
    found = phase.draw_fixed_points(rests(motion, {}), ax)
    styles = {line.get_label(): line.get_fillstyle() for line in ax.lines}
    assert styles == {
        "stable fixed point": "full",
        "saddle fixed point": "left",
        "unstable fixed point": "none",
    }
    assert sum(len(line.get_xdata()) for line in ax.lines) == len(found.points) == 9


def test_the_field_has_the_library_s_rates(motion, ax):
    drawn = phase.draw_field(motion, ax)
    v = drawn["across"]
    np.testing.assert_allclose(drawn["rates"][0], 2 * v * (v * (1 - v) - 0.1), rtol=1e-9)


def test_trajectories_are_returned_as_drawn(motion, ax):
    (found,) = phase.draw_trajectories(motion, ax, [(0.5, 1.5)], 5.0)
    np.testing.assert_array_equal(np.transpose(ax.lines[0].get_data()), found[1])


def test_without_axes_it_is_a_pyplot_figure_with_a_legend_which_notebooks_show(motion):
    figure = phase.phase_portrait(motion, weight_decay=0.3).ax.figure
    assert pyplot.fignum_exists(figure.number)
    assert "stable fixed point" in [text.get_text() for text in figure.legends[0].get_texts()]
    pyplot.close(figure)


@pytest.mark.parametrize("words", ["stable", "unstable fixed points, a line of them", "x" * 60])
def test_a_figure_has_room_for_its_legend(words):
    figure, ax = phase.portrait_figure()
    for _ in range(6):
        ax.plot([0, 1], label=words)
    phase.add_legend(figure)
    (legend,) = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width


def test_a_parameter_can_be_another(motion, ax):
    assert (
        len(phase.phase_portrait(motion, ax, weight_decay=0.3).rests.points) == 1
    )  # beyond the fold
