"""Claims about the picture of the spectrum: its data and labels."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from labelled import label, logistic
from matplotlib.figure import Figure
from structures import full_but

from eigendyn.errors import OutputExists
from eigendyn.show.plot.spectrum import MOST_LINES, plot_run, save_picture

TIMES = np.linspace(0, 30, 61)


def draw(result):
    """Draw into a figure of its own."""
    return plot_run(result, Figure().add_subplot())


def test_lines_are_the_variances_from_small_to_large_start():
    result = label(logistic([0.5, 1e-3, 2.0], TIMES), TIMES)
    (lines,) = draw(result).collections
    for drawn, mode in zip(lines.get_segments(), [1, 0, 2], strict=True):
        np.testing.assert_array_equal(drawn[:, 0], TIMES)
        np.testing.assert_array_equal(drawn[:, 1], result["variance"].values[mode])
    np.testing.assert_allclose(lines.get_array(), [1e-3, 0.5, 2.0])


def test_title_names_loss_closure_and_method():
    title = draw(label(logistic([0.5], TIMES), TIMES)).get_title()
    for word in ("cosine", "exact moments", "flow"):
        assert word in title


def test_title_names_what_is_not_drawn_and_what_failed():
    variance = logistic(np.linspace(0.01, 2, 1000), TIMES)
    variance[7] = 0
    ax = draw(label(variance, TIMES, status="diverged"))
    assert len(ax.collections[0].get_segments()) == MOST_LINES
    title = ax.get_title().replace("\n", " ")
    assert "200 of 999 modes" in title
    assert "1 at zero variance not drawn" in title
    assert "diverged at time 30" in ax.get_title()


FORMULA = "sum((lam*z1 - gamma*sg(z2))**2) / norm(sg(z2)) + " * 4 + "sum(z1) with gamma = 0.8"


@pytest.mark.parametrize("size", full_but({"low": (9, 3), "usual": (6.4, 4.8)}, {"low"}))
@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_nothing_overlaps_in_a_row_of_axes_nor_leaves_the_figure(size, layout):
    result = label(logistic([0.5, 1e-3, 2.0], TIMES), TIMES)
    result.attrs["loss"] = FORMULA
    figure = Figure(figsize=size, layout=layout)
    for ax in figure.subplots(1, 2):
        plot_run(result, ax)
    figure.draw_without_rendering()
    left, right = (ax.get_tightbbox() for ax in figure.axes)
    assert left.x1 < right.x0
    for box in (left, right):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


def test_the_title_of_a_written_loss_stands_within_a_saved_picture(tmp_path, monkeypatch):
    result = label(logistic([0.5, 1e-3, 2.0], TIMES), TIMES, status="diverged")
    result.attrs["loss"] = FORMULA
    figures = []
    monkeypatch.setattr(
        "eigendyn.show.plot.spectrum.save_figure", lambda *one: figures.append(one[0])
    )
    save_picture(result, tmp_path / "picture.png")
    (figure,) = figures
    figure.draw_without_rendering()
    box = figure.axes[0].get_tightbbox()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert 0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert figure.axes[0].get_title().startswith("sum((lam*z1 - gamma*sg(z2))**2)")


def test_a_layout_of_ones_own_is_left_alone():
    result = label(logistic([0.5], TIMES), TIMES)
    for place in ([0.2, 0.2, 0.5, 0.4], [0.1, 0.1, 0.8, 0.3]):
        ax = Figure().add_axes(place)
        plot_run(result, ax)
        np.testing.assert_allclose(ax.get_position().bounds, place)


def test_steps_stand_above_the_times():
    ax = draw(label(logistic([0.5], TIMES), TIMES, learning_rate=0.1))
    steps = ax.child_axes[0]
    ax.figure.draw_without_rendering()
    np.testing.assert_allclose(steps.get_xlim(), (0, 300))
    assert steps.get_xlabel() == "step"


@pytest.mark.parametrize(("rate", "axes"), [(0.1, 2), (0.05, 1)])
def test_two_runs_on_the_same_axes_are_told_apart(rate, axes):
    """By line style and a legend, on axes that hold both; steps stand above if they are alike."""
    first = label(logistic([0.5, 0.1], TIMES), TIMES, learning_rate=0.1)
    second = label(logistic([1e-3, 5.0], 2 * TIMES), 2 * TIMES, learning_rate=rate)
    ax = draw(first)
    plot_run(second, ax)
    one, other = ax.collections
    assert one.get_linestyle() != other.get_linestyle()
    assert one.norm is other.norm
    assert ax.get_legend() is not None
    assert len(ax.get_legend().get_texts()) == 2
    assert ax.get_title() == ""
    assert ax.get_xlim() == (0, 60)
    assert ax.get_ylim()[0] < 1e-3
    assert ax.get_ylim()[1] > 5
    assert len(ax.child_axes) == axes  # of the steps, and of the colour bar


def test_a_mode_that_vanishes_does_not_stretch_the_axis():
    variance = np.array([np.exp(-20 * TIMES), np.ones(61)])
    low, high = draw(label(variance, TIMES)).get_ylim()
    assert high / low < 1e7


@pytest.mark.parametrize("variance", [[[0.5]], [[0.5], [0.5]]])
def test_a_single_saved_time_can_be_drawn(variance):
    draw(label(np.array(variance), np.zeros(1))).figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("suffix", "first_bytes"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")]
)
def test_the_suffix_chooses_the_format(tmp_path, suffix, first_bytes):
    path = save_picture(label(logistic([0.5], TIMES), TIMES), tmp_path / f"picture{suffix}")
    assert path.read_bytes().startswith(first_bytes)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_picture_is_overwritten_only_by_force(tmp_path):
    result = label(logistic([0.5], TIMES), TIMES)
    path = tmp_path / "picture.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExists):
        save_picture(result, path)
    assert path.read_bytes() == b"mine"
    save_picture(result, path, force=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_axes_a_pyplot_figure_opens():
    with matplotlib.rc_context({"backend": "agg"}):
        ax = plot_run(label(logistic([0.5], TIMES), TIMES))
        from matplotlib import pyplot

        assert ax.figure.number in pyplot.get_fignums()
        pyplot.close(ax.figure)


def test_saving_does_not_need_pyplot():
    code = "import eigendyn.show.plot.spectrum, sys; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
