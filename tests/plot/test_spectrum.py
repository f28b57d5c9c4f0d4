"""Claims about the picture of the spectrum: its data and labels."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from labelled import label, logistic
from matplotlib.figure import Figure

from eigendyn.errors import OutputExists
from eigendyn.plot.spectrum import MOST_LINES, plot_spectrum, save_picture

TIMES = np.linspace(0, 30, 61)


def draw(result):
    """Draw into a figure of its own."""
    return plot_spectrum(result, Figure().add_subplot())


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
    assert "200 of 999 modes" in ax.get_title()
    assert "1 at zero variance not drawn" in ax.get_title()
    assert "diverged at time 30" in ax.get_title()


def test_steps_stand_above_the_times():
    ax = draw(label(logistic([0.5], TIMES), TIMES, learning_rate=0.1))
    (steps,) = ax.child_axes
    ax.figure.draw_without_rendering()
    np.testing.assert_allclose(steps.get_xlim(), (0, 300))
    assert steps.get_xlabel() == "step"


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
        ax = plot_spectrum(label(logistic([0.5], TIMES), TIMES))
        from matplotlib import pyplot

        assert ax.figure.number in pyplot.get_fignums()
        pyplot.close(ax.figure)


def test_saving_does_not_need_pyplot():
    code = "import eigendyn.plot.spectrum, sys; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("least", [0.02, 1e-9])
@pytest.mark.parametrize("steps", [100.0, 3e6])
def test_all_labels_fit_into_the_picture(tmp_path, monkeypatch, least, steps):
    """And the axes fill it: nothing is wider apart from the edges than a few letters."""
    seen = []
    monkeypatch.setattr(
        "eigendyn.plot.spectrum.save_figure", lambda figure, path, _: seen.append(figure) or path
    )
    times = np.linspace(0, 1, 61)
    save_picture(label(logistic([least, 0.5], times), times, learning_rate=1 / steps), "all.png")
    (figure,) = seen
    figure.draw_without_rendering()
    tight, size = figure.get_tightbbox(), figure.get_size_inches()
    slack = np.array([tight.x0, tight.y0, size[0] - tight.x1, size[1] - tight.y1])  # inches
    assert (slack > 0).all()
    assert (slack < 0.3).all()
    ax, bar = figure.axes
    steps_above = ax.child_axes[0].get_tightbbox()
    assert steps_above.x1 < bar.get_window_extent().x0


def test_numbers_of_a_few_decades_are_written_without_formulas():
    few = draw(label(logistic([0.02, 0.5], TIMES), TIMES))
    many = draw(label(logistic([1e-9, 0.5], TIMES), TIMES))
    for ax in (few, many):
        ax.figure.draw_without_rendering()
    assert "0.1" in [tick.get_text() for tick in few.get_yticklabels()]
    assert any("10^{-6}" in tick.get_text() for tick in many.get_yticklabels())
