"""Claims about the explorer in Jupyter: it moves the system, with its numbers."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from in_node import run_on_system, system_and_dynamics
from matplotlib import image
from matplotlib.backend_bases import MouseEvent
from structures import first_of

import eigendyn
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.simulation.engines.lanes import ensemble

ipywidgets = pytest.importorskip("ipywidgets")
pytest.importorskip("ipympl")

CLICK = "button_press_event"


@pytest.fixture
def explorer():
    return eigendyn.explore("euclidean", weight_decay=0.05, steps=300)


def shown(explorer):
    return [np.array(line.get_data()) for line in explorer.plane.lines]


def test_a_trajectory_is_that_of_simulate(explorer):
    explorer.start(0.4, 1.6)
    path = shown(explorer)[-1]
    run = eigendyn.simulate("euclidean", [0.4, 1.6], weight_decay=0.05, steps=300)
    np.testing.assert_allclose(path[:, 0], [0.4, 1.6], rtol=1e-12)
    np.testing.assert_allclose(path[:, -1], run["variance"].values[:, -1], rtol=1e-3)


def test_the_field_is_that_of_the_system(explorer):
    points = np.array([0.5]), np.array([1.2])
    rates = explorer._motion.rates(*points, {"weight_decay": 0.2})
    v = np.array([0.5, 1.2])
    np.testing.assert_allclose(rates[:, 0], 2 * v * (v * (1 - v) - 0.2), rtol=1e-12)


def test_nullclines_are_where_nothing_moves(explorer):
    explorer.set("weight_decay", 0.16)
    rates = explorer._motion.rates(*explorer._points, explorer.parameters)
    branches = explorer._motion.nullclines(*explorer._points, rates)[0]
    places = sorted(round(float(branch[:, 0].mean()), 1) for branch in branches)
    assert places == [0.2, 0.8]  # v(1 − v) = 0.16, one branch each, not joined


def test_a_slider_moves_the_dynamics(explorer):
    before = shown(explorer)
    figure = explorer.figure
    explorer._panel.sliders["weight_decay"].value = 0.4
    assert explorer.parameters["weight_decay"] == 0.4
    assert explorer.figure is figure
    assert not np.allclose(before[0], shown(explorer)[0])
    assert shown(explorer)[0][:, -1].max() < 0.01  # beyond the fold at 1/4 all collapse


def pixels(explorer):
    return np.array(explorer.figure.canvas.buffer_rgba())


def test_a_move_shows_what_a_whole_drawing_shows(explorer):
    canvas = explorer.figure.canvas
    canvas.draw()
    before = pixels(explorer)
    explorer.set("weight_decay", 0.1)  # only what moves is drawn
    moved = pixels(explorer)
    canvas.draw()
    np.testing.assert_array_equal(moved, pixels(explorer))
    assert (moved != before).any()


def test_a_saved_picture_has_the_trajectories_in_it(explorer, tmp_path):
    canvas = explorer.figure.canvas
    canvas.draw()
    explorer.figure.savefig(tmp_path / "all.png")
    for line in explorer.plane.lines:
        line.set_visible(False)
    explorer.figure.savefig(tmp_path / "none.png")
    pictures = [image.imread(tmp_path / f"{name}.png") for name in ("all", "none")]
    assert (pictures[0] != pictures[1]).any()


def test_a_trajectory_that_leaves_the_time_course_makes_room(explorer):
    explorer.figure.canvas.draw()
    explorer.start(0.01, 1.95)
    top = explorer.picture.course.get_ylim()[1]
    assert top > 1.95


def test_the_time_course_ends_where_nothing_moves_any_more(explorer):
    long = eigendyn.explore("euclidean", weight_decay=0.05, steps=30_000)
    for one in (explorer, long):
        right = one.picture.course.get_xlim()[1]
        times, points = one._motion.trajectories(one.starts, one.parameters, right)[0]
        moved = times[np.abs(points - points[-1]).max(axis=1) > 0.02].max()
        assert 0.2 * right < moved < right
    assert long.picture.course.get_xlim()[1] < 30
    long.start(0.06, 0.06)  # a slow one, beside the unstable point
    assert long.picture.course.get_xlim()[1] > 30


@pytest.mark.full
def test_no_move_waits_for_a_compiler():
    explorer = eigendyn.explore("cosine", closure="mean-field")
    compiled_before = ensemble._kernel.cache_info().misses
    for decay in np.linspace(0.01, explorer.controls["weight_decay"].high, 10):
        explorer.set("weight_decay", decay)
    assert ensemble._kernel.cache_info().misses == compiled_before


def test_reset_goes_back(explorer):
    before = shown(explorer)
    explorer.set("weight_decay", 0.4)
    explorer.start(0.5, 0.5)
    explorer.reset()
    assert explorer.parameters["weight_decay"] == 0.05
    np.testing.assert_array_equal(before, shown(explorer))


def test_another_loss_can_be_chosen(explorer):
    explorer.choose("iso-euclidean")
    assert explorer.system.loss.name == "iso-euclidean"
    assert explorer.plane.get_title() == "iso-euclidean"
    assert set(explorer._panel.sliders) == set(explorer.parameters)


def test_what_is_copied_makes_the_same_explorer(explorer):
    explorer.set("weight_decay", 0.1)
    again = eval(explorer.code, {"eigendyn": eigendyn})
    assert again.parameters == explorer.parameters
    assert explorer.command_line == "eigendyn explore --loss euclidean --weight-decay 0.1"


def test_a_click_starts_a_trajectory(explorer):
    count = len(explorer.starts)
    canvas, plane = explorer.figure.canvas, explorer.plane
    canvas.draw()
    x, y = plane.transData.transform((0.7, 0.9))
    canvas.callbacks.process(CLICK, MouseEvent(CLICK, canvas, x, y, 1))
    assert len(explorer.starts) == count + 1
    assert explorer.starts[-1] == pytest.approx((0.7, 0.9))
    assert "0.7, 0.9" in explorer._panel.message.value


def test_a_notebook_keeps_a_picture_beside_the_widgets(explorer):
    shown = []

    class Handle:
        def update(self, bundle, **_):
            shown.append(bundle)

    def display(what, raw=False, display_id=None):
        shown.append(what)
        return Handle() if display_id else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", display)
        explorer._ipython_display_()
    widget, picture = shown
    assert widget is explorer.widget
    assert set(picture) == {"text/plain", "image/png"}
    explorer.set("weight_decay", 0.4)
    explorer.settle()  # as it does by itself once nothing moves
    assert shown[-1]["image/png"].startswith(b"\x89PNG")
    assert shown[-1]["image/png"] != picture["image/png"]


def drawn_rests(explorer):
    """By label, fill and places of the fixed points that are seen."""
    return {
        line.get_label(): (line.get_fillstyle(), np.transpose(line.get_data()))
        for line in explorer.picture.rests
    }


def test_fixed_points_are_those_of_the_page(explorer):
    """The page's own code, run on the same system, finds the same points of the same kinds."""
    explorer.set("weight_decay", 0.1)
    explorer.settle()
    fills = {"stable": "full", "unstable": "none", "saddle": "left"}
    drawn = drawn_rests(explorer)
    assert {label: fill for label, (fill, _) in drawn.items()} == {
        f"{kind} fixed point": fill for kind, fill in fills.items()
    }
    script = "const result = fixedPoints(field, plane, rateGrid(field, plane, 49, 4), 1 / 40);"
    found = run_on_system(script, *system_and_dynamics("euclidean", 2, weight_decay=0.1))
    for kind in fills:
        theirs = sorted(np.square(p["x"]).tolist() for p in found["points"] if p["kind"] == kind)
        ours = sorted(drawn[f"{kind} fixed point"][1].tolist())
        np.testing.assert_allclose(ours, theirs, atol=1e-7)
        assert kind in explorer._panel.points.value


@pytest.mark.parametrize("settings", first_of({}, {"predictor": "learned"}))
def test_every_name_stands_within_the_picture(settings):
    explorer = eigendyn.explore("euclidean", weight_decay=0.1, **settings)
    explorer.settle()
    figure = explorer.figure
    figure.draw_without_rendering()
    for shown in (*figure.axes, explorer.picture.legend):
        box = shown.get_tightbbox(figure.canvas.get_renderer())
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1
    left, right = (ax.get_tightbbox(figure.canvas.get_renderer()) for ax in figure.axes)
    assert left.x1 < right.x0


def test_a_move_takes_fixed_points_away_until_it_stands_still(explorer):
    explorer.settle()
    assert explorer.picture.rests
    explorer.set("weight_decay", 0.1)
    assert explorer.picture.rests == []
    assert explorer._panel.points.value == ""

    async def in_jupyter():
        for decay in (0.2, 0.21, 0.4):
            explorer.set("weight_decay", decay)
            await asyncio.sleep(0.01)
        assert explorer.picture.rests == []
        for _ in range(1000):
            await asyncio.sleep(0.02)
            if explorer.picture.rests:
                break

    with ThreadPoolExecutor(1) as apart:  # the tests' own thread may have a loop, of a browser
        apart.submit(asyncio.run, in_jupyter()).result()
    assert explorer.parameters["weight_decay"] == 0.4
    assert list(drawn_rests(explorer)) == ["stable fixed point"]  # beyond the fold all collapse


def test_the_mean_field_can_be_explored_and_its_line_of_fixed_points_is_one_line():
    explorer = eigendyn.explore("cosine", closure="mean-field", steps=100)
    assert explorer.code == "eigendyn.explore('cosine', closure='mean-field', steps=100)"
    explorer.settle()
    assert any("a line of them" in str(one.get_label()) for one in explorer.picture.rests)
    assert explorer._panel.points.value.count(" stable (a line of them)") == 1


def test_without_widgets_it_is_a_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipympl.backend_nbagg", None)
    monkeypatch.delitem(sys.modules, "eigendyn.show.notebook.panel", raising=False)
    explorer = eigendyn.explore("euclidean")
    assert explorer.widget is None
    bundle = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "pip install 'eigendyn[notebook]'" in bundle["text/plain"]
    explorer.set("weight_decay", 0.2)


def test_what_is_not_there_is_refused(explorer):
    with pytest.raises(UnknownName, match="weight_decay"):
        explorer.set("weight_decy", 0.1)
    with pytest.raises(InvalidSetting, match="must lie in"):
        explorer.set("weight_decay", -1)
    with pytest.raises(InvalidSetting, match="on the plane"):
        explorer.start(-1, 0.5)
    with pytest.raises(InvalidSetting, match="two states"):
        eigendyn.explore("cosine", predictor="learned", target="ema")
