"""Claims about the picture of a recorded training."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.recording.record import as_record, record
from eigendyn.recording.verdict import VERDICTS
from eigendyn.show.plot.record import SHADES, draw_losses, draw_ranks, save_record_picture


@pytest.fixture(scope="module")
def read():
    chosen = {"sigma1": 0.3, "sigma2": 0.3, "weight_decay": 0.3, "learning_rate": 0.05}
    run = eigendyn.simulate("euclidean", [0.4, 0.6, 0.9], steps=200, saves=41, **chosen)
    return eigendyn.monitor(run).to_xarray()


def axes():
    return Figure().add_subplot()


def test_every_mode_is_a_line_over_steps_and_verdicts_stand_above_in_their_colours(read):
    ax = eigendyn.plot.record(read, axes())
    lines = [line for line in ax.lines if len(line.get_xdata()) == read.sizes["time"]]
    assert len(lines) == 3
    assert ax.get_yscale() == "log"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "collapse" in names
    shade = {handle.get_label(): handle for handle in ax.get_legend().get_patches()}["collapse"]
    assert to_hex(shade.get_facecolor()) == SHADES["collapse"]


def test_verdicts_and_their_legend_hide_no_line():
    run = eigendyn.simulate("euclidean", [1e-6, 0.9, 1.0], weight_decay=0.05, steps=900)
    ax = eigendyn.plot.record(as_record(run), axes())
    ends = [line.get_xydata().max(axis=0) for line in ax.lines if len(line.get_xdata()) > 2]
    highest = ax.transAxes.inverted().transform(ax.transData.transform(ends))[:, 1].max()
    assert highest < min(patch.get_y() for patch in ax.patches)
    legend = ax.get_legend().get_window_extent()
    assert legend.x0 >= ax.get_window_extent().x1


def test_every_verdict_has_a_colour_of_its_own():
    assert set(SHADES) == set(VERDICTS)
    assert len(set(SHADES.values())) == len(SHADES)


def test_both_losses_and_the_rank_are_drawn(read):
    ax = axes()
    draw_losses(read, ax)
    assert [line.get_label() for line in ax.lines] == ["implied by the spectrum", "measured"]
    assert ax.lines[0].get_ydata() == pytest.approx(read["implied_loss"].values)
    ax = axes()
    draw_ranks(read, ax)
    shares = np.array([0.4, 0.6, 0.9]) / 1.9
    assert ax.lines[0].get_ydata()[0] == pytest.approx(np.prod(shares**-shares))


def test_a_record_without_loss_noise_or_variance_is_drawn_too(tmp_path):
    for name, variance in {"bare": np.ones((2, 12)), "dead": np.zeros((2, 12))}.items():
        made = record({"variance": variance}, np.arange(12), np.arange(12), title="made")
        assert save_record_picture(made, tmp_path / f"{name}.png").exists()


def test_what_is_no_record_is_refused(tmp_path):
    run = eigendyn.simulate("euclidean", [0.1, 1.0], steps=9)
    for other in (run, 5):
        with pytest.raises(InvalidSetting, match="record must be a record"):
            eigendyn.plot.record(other, axes())
    assert save_record_picture(as_record(run), tmp_path / "run.png").exists()
