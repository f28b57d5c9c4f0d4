"""Claims about the picture of theory over networks."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from eigendyn.crosschecks.crosscheck import crosscheck
from eigendyn.settings.spectrum import weights_from_variances
from eigendyn.show.plot.agreement import plot_agreement, plot_deviation, save_agreement_picture


@pytest.fixture(scope="module")
def tree():
    weights = weights_from_variances([0.9, 0.2, 0.0])
    return crosscheck("euclidean", weights, steps=30, saves=31, batch=100, seeds=3)


def test_theory_is_a_line_and_networks_are_dots_over_it(tree):
    axes = plot_agreement(tree, Figure().add_subplot())
    lines, dots = axes.lines[0], axes.lines[1]
    np.testing.assert_allclose(lines.get_ydata(), tree["theory"]["variance"][0])
    drawn = np.isin(tree["agreement"]["time"], dots.get_xdata())
    networks = tree["agreement"]["networks"].values[0] ** 2
    np.testing.assert_allclose(dots.get_ydata(), networks[drawn])
    assert dots.get_zorder() > lines.get_zorder()
    assert axes.get_yscale() == "log"
    assert len(axes.lines) == 2 * 2 + 2  # a mode without variance is not drawn; two for the legend


def test_deviations_are_drawn_with_what_is_allowed(tree):
    axes = plot_deviation(tree, Figure().add_subplot())
    allowed = tree["agreement"].attrs["allowed_deviation"]
    assert [line.get_ydata()[0] for line in axes.lines[-2:]] == [-allowed, allowed]


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_pictures_are_written_in_the_format_of_their_suffix(tree, suffix, tmp_path):
    path = save_agreement_picture(tree, tmp_path / f"check{suffix}")
    start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix]
    assert path.read_bytes().startswith(start)
