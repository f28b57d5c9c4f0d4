"""Claims about bifurcation diagrams: solid is stable, dashed unstable, and all is named."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
from eigendyn.analysis.bifurcations.folds import fold_curve
from eigendyn.analysis.system import dynamical_system
from eigendyn.show.plot import bifurcation


@pytest.fixture(scope="module")
def system():
    return dynamical_system("euclidean", 1, sigma1=0.5)


@pytest.fixture(scope="module")
def diagram(system):
    return continue_fixed_points(system, "weight_decay", (0, 0.4))


@pytest.fixture(scope="module")
def curves(system):
    return fold_curve(system, "weight_decay", (0, 0.4), "sigma1", (0, 1))


@pytest.fixture
def ax():
    return Figure().subplots()


def test_branches_are_solid_where_stable_and_dashed_where_not(diagram, ax):
    drawn = bifurcation.draw_branches(diagram, ax, "singular_value_0")
    assert sorted(kind for kind, _ in drawn) == ["stable", "stable", "unstable"]
    for (kind, points), line in zip(drawn, ax.lines, strict=False):
        assert line.get_linestyle() == {"stable": "-", "unstable": "--"}[kind]
        np.testing.assert_array_equal(line.get_xydata(), points)
        if points[:, 1].max() > 0:  # variances on both sides of the saddle-node, 1/(2c) = 0.4
            side = points[:, 1] >= 0.4 - 1e-6 if kind == "stable" else points[:, 1] <= 0.4 + 1e-6
            assert side.all()
            np.testing.assert_allclose(points[:, 0].max(), 0.2, atol=1e-12)


def test_special_points_are_marked_and_labelled_where_they_are(diagram, ax):
    bifurcation.plot_bifurcation(diagram, ax)
    (text,) = (text.get_text() for text in ax.texts)
    assert text == "saddle-node\nω = 0.2"
    (marked,) = (line for line in ax.lines if line.get_label() == "saddle-node")
    np.testing.assert_allclose(marked.get_xydata(), [[0.2, 0.4]], atol=1e-8)
    assert ax.get_xlabel() == "weight decay ω"
    assert ax.get_ylabel() == "variance v"
    assert ax.get_xlim() == (0, 0.4)
    assert ax.get_title() == "euclidean, σ₁ = 0.5"


@pytest.mark.full  # continues another system
def test_a_predictor_s_eigenvalue_can_be_drawn_in_its_place(ax):
    both = ("weight_decay", "predictor_decay")
    found = continue_fixed_points(
        dynamical_system("euclidean", 1, predictor="learned"), both, (0, 0.4)
    )
    bifurcation.plot_bifurcation(found, ax, "predictor_value_0")
    assert ax.get_ylabel() == "predictor’s eigenvalue p"
    assert ax.get_xlabel() == "weight decay ω = weight decay of the predictor ωₚ"
    (marked,) = (line for line in ax.lines if line.get_label() == "saddle-node")
    np.testing.assert_allclose(marked.get_xydata(), [[0.25, 0.5]], atol=1e-8)


def test_curves_of_saddle_nodes_are_drawn_as_returned(curves, ax):
    (points,) = bifurcation.draw_fold_curves(curves, ax)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), points)
    np.testing.assert_allclose(points[:, 0], 1 / (4 * (1 + points[:, 1] ** 2)), atol=1e-10)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight decay ω", "noise of the first view σ₁")


def test_a_figure_has_a_panel_for_each(diagram, curves):
    assert len(bifurcation.bifurcation_figure(diagram).axes) == 1
    both = bifurcation.bifurcation_figure(diagram, curves, (0, 1), 0.5)
    assert len(both.axes) == 2
    low, high = both.axes[1].get_ylim()
    assert low < 0 < 1 < high  # lines at an end are off the axis
    (legend,) = both.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["stable", "unstable", "saddle-node", "saddle-nodes", "diagram on the left"]


@pytest.mark.parametrize(
    ("parameter", "said"),
    [("weight_decay", "Hopf\nω = 0.25"), ("correlation_momentum", "Hopf\nμ = 0.25")],
)
def test_a_special_point_says_where_it_is_and_leaves_words_to_the_axis(ax, parameter, said):
    diagram = SimpleNamespace(driven=(parameter,))
    assert bifurcation.draw_labels(diagram, ax, {"Hopf": np.array([[0.25, 0.5]])}) == [said]
