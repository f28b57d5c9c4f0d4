"""Claims about labels: they avoid lines, each other, and the edge."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from eigendyn.show.plot.labels import place_label


@pytest.fixture
def ax():
    ax = Figure(figsize=(4, 3), layout="constrained").subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return ax


def test_a_label_stands_off_a_line(ax):
    line = np.linspace(0.5, 1, 50)
    ax.plot(line, np.full(50, 0.5))
    low, high = place_label(ax, "saddle-node", np.array([0.5, 0.5]), [])
    assert high[0] <= 0.5 or not low[1] <= 0.5 <= high[1]


def test_labels_do_not_cover_each_other(ax):
    taken = []
    for x in (0.5, 0.52, 0.48):
        taken.append(place_label(ax, "saddle-node\nω = 0.25", np.array([x, 0.5]), taken))
    for i, (low, high) in enumerate(taken):
        for other_low, other_high in taken[:i]:
            assert not ((low < other_high) & (other_low < high)).all()


@pytest.mark.parametrize("point", [(0.99, 0.5), (0.01, 0.01), (0.5, 0.99)])
def test_a_label_stays_inside(ax, point):
    low, high = place_label(ax, "transcritical", np.array(point), [])
    assert (low >= -1e-9).all() and (high <= 1 + 1e-9).all()
