"""Claims about the grammar of pictures: several runs, any quantity over any other."""

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure
from trained import trained

import eigendyn
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.recording.record import as_record
from eigendyn.show.plot.run_names import run_names, shared_words

VARIANCES = [0.05, 0.4, 1.0]
TIMES = np.linspace(0, 10, 11)
STARTS = np.geomspace(0.05, 2, 24).reshape(12, 2)


@pytest.fixture(scope="module")
def runs():
    """Three runs: another loss, and another weight decay."""
    other = {"weight_decay": 0.1, "steps": 60}
    return [
        eigendyn.simulate("euclidean", VARIANCES, steps=60),
        eigendyn.simulate("iso-euclidean", VARIANCES, steps=60),
        eigendyn.simulate("euclidean", VARIANCES, **other),
    ]


def axes():
    return Figure(figsize=(6, 4)).add_subplot()


def legend(ax):
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def test_runs_are_named_by_what_they_differ_in_alone(runs):
    assert run_names(runs[:2], "ab") == ["euclidean", "iso-euclidean"]
    assert run_names(runs[::2], "ab") == ["weight decay 0", "weight decay 0.1"]
    assert run_names(runs[:1] * 2, ["a", "b"]) == ["a", "b"]
    assert shared_words(runs[::2]) == "euclidean"


def test_two_losses_are_two_colours_with_a_line_for_each_mode(runs):
    ax = eigendyn.plot.runs(runs[:2], axes())
    assert legend(ax) == ["euclidean", "iso-euclidean"]
    assert len(ax.lines) == 6
    assert len({line.get_color() for line in ax.lines}) == 2
    np.testing.assert_array_equal(ax.lines[3].get_ydata(), runs[1]["variance"][0])
    assert ax.get_yscale() == "log"


def test_modes_are_chosen_and_named_in_the_title(runs):
    ax = eigendyn.plot.runs(runs[:2], axes(), mode=2)
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), runs[1]["variance"][2])
    assert len(ax.lines) == 2
    assert ax.get_title() == "mode 2"


def test_names_of_ones_own_stand_in_the_legend(runs):
    ax = eigendyn.plot.runs({"mine": runs[0], "yours": runs[0]}, axes(), quantity="expected_loss")
    assert legend(ax) == ["mine", "yours"]
    assert ax.get_ylabel() == "expected loss as it is written"


def test_runs_that_are_not_told_by_colour_are_told_by_style(runs):
    ax = eigendyn.plot.runs(runs[::2], axes(), color="mode")
    assert legend(ax) == ["0", "1", "2", "weight decay 0", "weight decay 0.1"]
    assert len({line.get_linestyle() for line in ax.lines}) == 2


def test_every_facet_has_axes_of_its_own(runs):
    found = eigendyn.plot.runs(runs[:2], facet="mode")
    assert [ax.get_title() for ax in found] == ["mode 0", "mode 1", "mode 2"]
    assert [len(ax.lines) for ax in found] == [2, 2, 2]
    with pytest.raises(InvalidSetting, match="Leave out `ax`"):
        eigendyn.plot.runs(runs[:2], axes(), facet="mode")


@pytest.mark.parametrize(
    ("asked", "x", "y"),
    [
        ({"quantity": "effective_rank"}, "time", "effective_rank"),
        ({"x": "step", "y": "expected_loss"}, "step", "expected_loss"),
        ({"x": "effective_rank", "y": "expected_loss"}, "effective_rank", "expected_loss"),
    ],
)
def test_any_quantity_stands_over_any_other(runs, asked, x, y):
    (line,) = eigendyn.plot.run(runs[0], axes(), **asked).lines
    np.testing.assert_array_equal(line.get_xdata(), runs[0][x])
    np.testing.assert_array_equal(line.get_ydata(), runs[0][y])


def test_ends_stand_over_starts_as_dots(runs):
    (line,) = eigendyn.plot.run(runs[0], axes(), x="initial_variance", y="final_variance").lines
    np.testing.assert_allclose(line.get_xdata(), VARIANCES)
    np.testing.assert_array_equal(line.get_ydata(), runs[0]["variance"][:, -1])
    assert line.get_marker() == "o"


def test_few_words_are_colours_of_a_legend(runs):
    ax = eigendyn.plot.run(runs[2], axes(), color="outcome")
    assert set(legend(ax)) == set(runs[2]["outcome"].values.tolist())


def test_many_modes_have_a_bar_in_the_place_of_a_legend():
    run = eigendyn.simulate("euclidean", np.geomspace(0.01, 1, 12), steps=20)
    ax = eigendyn.plot.run(run, axes(), color="mode")
    assert legend(ax) == []
    assert ax.figure.axes[1].get_ylabel() == "mode"


def test_an_ensemble_is_a_median_with_a_band_unless_its_trajectories_are_named():
    many = eigendyn.ensemble("euclidean", STARTS, times=TIMES)
    ax = eigendyn.plot.ensemble(many, axes(), mode=1)
    middle = np.median(many["singular_value"].values[:, 1] ** 2, axis=0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), middle)
    assert "12 trajectories: median, 10 % to 90 %" in ax.get_title()
    ax = eigendyn.plot.ensemble(many, axes(), color="trajectory", mode=1)
    assert len(ax.lines) == 12


def test_final_states_stand_over_what_was_swept():
    decays = np.linspace(0, 0.3, 12)
    ends = xarray.Dataset(
        {"singular_value": (("trajectory", "mode", "time"), STARTS[..., None])},
        {"weight_decay": ("trajectory", decays), "time": [60.0]},
    )
    ax = eigendyn.plot.ensemble(ends, axes(), x="weight_decay", y="final_variance", mode=0)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), decays)
    assert ax.get_xlabel() == "weight decay ω"


def test_a_record_and_a_training_are_drawn_in_the_same_grammar():
    training = trained(modes=3)
    ax = eigendyn.plot.runs([as_record(training)], axes(), mode=0)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), as_record(training)["step"])
    ax = eigendyn.plot.runs([training], axes(), quantity="rankme")
    assert "3 seeds: median, smallest to largest" in ax.get_title()


def test_dimensions_on_both_axes_make_a_map(runs):
    ax = eigendyn.plot.run(runs[0], axes(), x="time", y="mode", quantity="variance")
    assert ax.collections[0].get_array().shape == runs[0]["variance"].shape


@pytest.mark.parametrize(
    ("asked", "refusal", "words"),
    [
        ({"x": "tim"}, UnknownName, "Did you mean 'time'.*effective_rank"),
        ({"y": "outcome"}, InvalidSetting, "is words.*Try `color='outcome'`"),
        ({"quantity": "recruitment_time"}, InvalidSetting, "does not change with time"),
        ({"mode": 3}, InvalidSetting, "one of 0 … 2"),
        ({"mode": 0.5}, InvalidSetting, "number of a mode"),
        ({"color": "expected_loss"}, InvalidSetting, "also changes along them"),
        ({"x": "time", "y": "time"}, InvalidSetting, "must differ"),
        ({"y": "variance", "quantity": "expected_loss"}, InvalidSetting, "two heights"),
        ({"held": {"place": 1}}, UnknownName, "no dimension 'place'"),
        ({"colour": "mode"}, UnknownName, "color"),
    ],
)
def test_names_that_a_run_does_not_have_are_refused_with_those_that_it_has(
    runs, asked, refusal, words
):
    with pytest.raises(refusal, match=words):
        eigendyn.plot.run(runs[0], axes(), **asked)


def test_what_is_drawn_as_a_whole_is_not_drawn_in_part():
    verdicts = xarray.Dataset({"verdict": (("change", "mode"), [["kept", "lost"]])})
    with pytest.raises(InvalidSetting, match=r"A diagnosis is drawn as a whole.*`quantity`"):
        eigendyn.plot.runs([verdicts], quantity="verdict")
    with pytest.raises(InvalidSetting, match="runs in a list"):
        eigendyn.plot.runs(verdicts)


def test_the_former_name_works_for_a_release_and_says_where_it_is(runs):
    with pytest.warns(DeprecationWarning, match=r"plot\.spectrum is eigendyn\.plot\.run now"):
        assert eigendyn.plot.spectrum is eigendyn.plot.run
