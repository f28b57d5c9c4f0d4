"""Draw Figure 6a: how a ReLU network moves the pre-activations of 20 samples.

Source: Halvagal et al. 2023, Figure 6a.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from eigendyn.settings.spectrum import published_samples, published_weights
from eigendyn.show.paper.planes import draw_planes
from eigendyn.show.paper.relu import networks_note, train_panels
from eigendyn.show.paper.variants import panels
from eigendyn.show.paper.work import Numbers, Work

LEARNING_RATE = 0.01  # of the published trajectory panels


def numbers(work: Work) -> Numbers:
    """Train the networks of every panel; nothing if there are to be none."""
    return train_panels(
        work,
        "6a",
        published_weights("trajectories"),
        published_samples(),
        "preactivation",
        lambda _panel: LEARNING_RATE,
    )


def draw(numbers: Numbers) -> Figure:
    """Draw paths as lines, their ends as dots."""
    return draw_planes(numbers, panels(), "preactivation", "networks")


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    return (
        "Pre-activations W x of 20 samples in a ReLU network (two dimensions), in the layout of "
        "the paper's Figure 6a; each panel has its own scale. Lines are the path of one network, "
        "dots its end. " + networks_note(numbers)
    )
