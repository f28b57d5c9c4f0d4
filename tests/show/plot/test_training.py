"""Claims about the picture of a training."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from trained import EPOCHS, FORECAST_FROM, trained

import eigendyn
from eigendyn.show.plot.training import draw_measure, draw_readouts, save_training_picture

MODES = 6


@pytest.fixture
def axes():
    return Figure().add_subplot()


def test_every_mode_is_a_line_of_the_median_in_a_band_from_least_to_most(axes):
    dataset = trained(modes=MODES)
    eigendyn.plot.training(dataset, axes)
    assert len(axes.collections) == MODES
    for mode in range(MODES):
        of_seeds = dataset["variance"].values[:, mode]
        np.testing.assert_allclose(axes.lines[mode].get_ydata(), np.median(of_seeds, axis=0))
        edge = axes.collections[mode].get_paths()[0].vertices[:, 1]
        assert (edge.min(), edge.max()) == (of_seeds.min(), of_seeds.max())
    assert axes.get_yscale() == "log"


def test_one_seed_has_lines_without_bands(axes):
    eigendyn.plot.training(trained(seeds=1), axes)
    assert not axes.collections
    assert "1 seed" in axes.get_title()


def test_the_forecast_is_dashed_from_the_epoch_on_in_which_it_was_made(axes):
    dataset = trained(modes=MODES)
    eigendyn.plot.training(dataset, axes)
    dashed = axes.lines[MODES : 2 * MODES]
    for mode, line in enumerate(dashed):
        assert line.get_linestyle() == "--"
        known = EPOCHS[np.isfinite(line.get_ydata())]
        assert known[0] == FORECAST_FROM
        assert known[-1] == EPOCHS[-1]
        expected = np.median(dataset["forecast"].values[:, mode, -1])
        assert line.get_ydata()[-1] == pytest.approx(expected)


def test_what_is_not_above_zero_leaves_a_gap_and_no_warning(axes):
    dataset = trained(modes=MODES)
    dataset["variance"][:, -1, :3] = -1e-9
    eigendyn.plot.training(dataset, axes)
    line = axes.lines[MODES - 1].get_ydata()
    assert np.isnan(line[:3]).all()
    assert np.isfinite(line[3:]).all()


def test_readouts_stand_beside_raw_pixels_and_the_untrained_encoder(axes):
    dataset = trained()
    draw_readouts(dataset, axes)
    level = {line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 2}
    references = {
        dataset.attrs["raw_linear_accuracy"],
        dataset.attrs["raw_knn_accuracy"],
        *(float(dataset[f"{name}_accuracy"][:, 0].mean()) for name in ("linear", "knn")),
    }
    assert references <= level
    assert axes.get_ylim()[0] < min(references)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["linear", "k-NN", "raw pixels", "untrained encoder"]


def test_early_epochs_have_room_and_the_first_one_a_place(axes):
    draw_measure(trained(), "rankme", axes)
    assert axes.get_xlim() == (0, EPOCHS[-1])
    share = (axes.transData + axes.transAxes.inverted()).transform((10, 1))[0]
    assert 0.4 < share < 0.8  # a tenth of the epochs takes half of the axis


def test_a_diverged_seed_is_named_and_its_line_ends(axes):
    dataset = trained(seeds=1, diverged=(0,))
    eigendyn.plot.training(dataset, axes)
    assert "1 of 1 seeds diverged, at epoch 10" in axes.get_title()
    assert np.isnan(axes.lines[0].get_ydata()[EPOCHS > 10]).all()


@pytest.mark.parametrize("labels", [True, False])
def test_a_picture_is_written_with_labels_and_without(labels, tmp_path):
    path = save_training_picture(trained(labels=labels), tmp_path / "run.svg")
    assert ("accuracy on test images" in path.read_text()) == labels
