"""Claims about what is swept: what is given several times is an axis, or refused."""

import numpy as np
import pytest
from sweeping.small import asked

from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.sweeping.axes import Axis
from eigendyn.sweeping.chunk import followed_chunk
from eigendyn.sweeping.layout import cut
from eigendyn.sweeping.planning import planned
from eigendyn.sweeping.ranges import Range

DECAYS = np.linspace(0, 0.1, 5)


def test_what_is_given_several_times_is_an_axis_and_the_rest_is_not():
    found = asked({"loss": ["euclidean", "cosine"], "weight_decay": DECAYS, "alpha": 1.0})
    assert [(axis.name, axis.size) for axis in found.axes] == [("loss", 2), ("weight_decay", 5)]
    assert found.settings["alpha"] == 1.0


def test_a_range_may_be_text():
    found = asked({"loss": "euclidean", "weight_decay": "0:0.1:5"})
    np.testing.assert_array_equal(found.axes[0].at(slice(0, 5))["weight_decay"], DECAYS)


@pytest.mark.full
def test_a_range_may_be_of_what_each_mode_has_for_itself():
    found = asked({"loss": "euclidean", "weight_decay": "0:0.1:5", "signal": "0.5:2:4log"})
    plan = planned(found, ("final",))
    assert plan.inner == (True, True)
    final = followed_chunk(plan, 0, 1)["final_variance"]
    own = asked({"loss": "euclidean", "weight_decay": [0.1], "signal": (2.0, 2.0, 2.0)})
    alone = followed_chunk(planned(own, ("final",)), 0, 1)["final_variance"]
    np.testing.assert_allclose(final[-1, -1], alone[0], rtol=1e-5)


def test_tied_settings_share_an_axis_and_take_the_values_of_the_first():
    given = {"predictor": "learned", "weight_decay": DECAYS, "sigma1": [0.1, 0.2]}
    found = asked(given, tie=[("weight_decay", "predictor_decay")])
    assert [axis.name for axis in found.axes] == ["weight_decay", "sigma1"]
    values = found.axes[0].at(slice(1, 3))
    np.testing.assert_array_equal(values["predictor_decay"], DECAYS[1:3])
    np.testing.assert_array_equal(values["weight_decay"], DECAYS[1:3])


@pytest.mark.full
def test_the_points_of_a_design_do_not_depend_on_which_are_drawn_together():
    ranges = {"weight_decay": Range(0, 0.3, None), "sigma1": Range(1e-2, 1, None, True)}
    design = Axis("sample", ranges, 64, {"weight_decay": 0, "sigma1": 1}, seed=3)
    whole = design.at(slice(0, 64))
    for name, lowest, highest in (("weight_decay", 0, 0.3), ("sigma1", 1e-2, 1)):
        parts = [design.at(slice(first, first + 16))[name] for first in range(0, 64, 16)]
        np.testing.assert_array_equal(np.concatenate(parts), whole[name])
        assert lowest <= whole[name].min() < whole[name].max() <= highest
    counts = np.histogram2d(
        whole["weight_decay"] / 0.3, np.log(whole["sigma1"]) / np.log(10), bins=8
    )[0]
    np.testing.assert_array_equal(counts, 1)  # a Sobol net has one point in each cell


def test_what_changes_the_form_of_the_equations_is_followed_apart():
    given = {"loss": "euclidean", "weight_decay": DECAYS, "learning_rate": [0.1, 0.2]}
    assert planned(asked(given)).inner == (True, False)
    assert planned(asked({"loss": "euclidean", "momentum": [0.1, 0.3]})).inner == (True,)
    assert planned(asked({"loss": "euclidean", "momentum": [0.0, 0.3]})).inner == (False,)


@pytest.mark.full
def test_an_exponent_is_followed_apart():
    assert planned(asked({"loss": "euclidean", "alpha": [0.5, 1.0]})).inner == (False,)


@pytest.mark.parametrize(
    ("shape", "inner", "chunks"),
    [
        ((2, 300, 200), (False, True, True), (1, 50, 200)),
        ((7,), (False,), (1,)),
        ((10, 10), (True, True), (10, 10)),
        ((1000, 1000), (True, True), (10, 1000)),
        ((100_000,), (True,), (10_000,)),
    ],
)
def test_a_grid_is_cut_evenly_into_chunks_that_an_engine_can_follow(shape, inner, chunks):
    layout = cut(shape, inner, 100, 100, 2**26)
    assert layout.chunks == chunks
    seen = np.zeros(shape, int)
    for number in range(layout.count):
        seen[layout.box(number)] += 1
        assert seen[layout.box(number)].size == layout.points(number)
    assert (seen == 1).all()


def test_a_chunk_keeps_to_the_memory_it_is_given():
    layout = cut((10_000, 1000), (True, True), 1000, 1, 10**6)
    assert max(map(layout.points, range(0, layout.count, 97))) <= 1000


@pytest.mark.parametrize(
    ("given", "more", "said"),
    [
        ({}, {}, "needs something that changes"),
        ({"weight_decay": [0.1, 0.1]}, {}, "must differ"),
        ({"weight_decay": [0.1, np.nan]}, {}, "finite"),
        ({"weight_decay": []}, {}, "one at least"),
        ({"weight_decay": Range(0, 1, None)}, {}, "needs a number of points"),
        ({"weight_decay": Range(0, 1, 5)}, {"design": "sobol:8"}, "write 0:1 for"),
        ({"weight_decay": [0.1]}, {"design": "sobol:8"}, "needs a range to draw from"),
        ({"weight_decay": Range(0, 1, None)}, {"design": "latin:8"}, "sobol:COUNT"),
        ({"learning_rate": Range(0.1, 1, None)}, {"design": "sobol:8"}, "cannot draw all of"),
        ({"ema": [0.5, 0.9]}, {}, "momentum of an EMA target, and the target is shared"),
        ({"loss": ["iso-cosine"], "beta": [0.0, 0.5]}, {}, "takes no β"),
        ({"loss": "barlow-twins", "weight_decay": DECAYS}, {}, "belongs to a Siamese network"),
        ({"sigma1": [-1.0, 1.0]}, {}, "`sigma1` must be finite and ≥ 0"),
        ({"loss": ["euclidean", "euclidean"]}, {}, "each of them once"),
        ({"sigma1": "half"}, {}, "a range as 0:0.3:200"),
        ({"sigma1": [1, 2]}, {"tie": [("weight_decay", "predictor_decay")]}, "a range for one"),
        (
            {"sigma1": [1, 2], "sigma2": [1, 2, 3]},
            {"tie": [("sigma1", "sigma2")]},
            "as many values",
        ),
        ({"sigma1": [0, 1]}, {"tie": [("sigma1", "steps")]}, "'steps'"),
        ({"sigma1": [0, 1]}, {"variance": [0.1], "variances": [0.1]}, "one kind of start"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_a_sentence(given, more, said):
    with pytest.raises((InvalidSetting, UnknownName), match=said):
        planned(asked(given, **more))


def test_a_number_that_the_dynamics_do_not_have_is_refused():
    with pytest.raises(UnknownName, match="no parameter of these dynamics 'gamma'"):
        planned(asked({"loss": "euclidean"}, parameters={"gamma": [0.1, 0.2]}))
    model = asked({"loss": "barlow-twins", "sigma2": 0.1}, parameters={"gamma": [0.1, 0.2]})
    assert planned(model).inner == (True,)
