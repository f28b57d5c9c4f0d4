"""Claims about what the page computes: against closed forms, and against the Python engines."""

import base64
from functools import cache

import numpy as np
import pytest
from in_node import run_on_system, system_and_dynamics
from structures import first_of

from eigendyn import simulate
from eigendyn.analysis.design import design_loss
from eigendyn.analysis.plane.motion import phase_plane
from eigendyn.analysis.plane.portrait import rests

FIXED = "const grid = rateGrid(field, plane, data.n, 4);\n"
FIXED += "const result = fixedPoints(field, plane, grid, 1 / 40);"
GRIDS = (17, 34, 49, 73)  # of points a side, as many as a browser has time for; 1 is on some
FOLLOW = """
const path = follow(field, data.start, { ...options, duration: data.duration, rtol: data.rtol });
const result = { states: path.states, times: path.times, ended: path.ended };
"""


@cache
def _made(loss, modes, settings):
    return system_and_dynamics(loss, modes, **dict(settings))


def plain():
    return _made("euclidean", 2, ())


def fixed_points(loss, modes, n=49, **settings):
    found = run_on_system(FIXED, *_made(loss, modes, tuple(settings.items())), n=n)
    return {tuple(np.round(p["x"], 6)): p for p in found["points"]}, found["lines"]


def test_fixed_points_of_the_euclidean_loss_with_decay_are_where_theory_has_them():
    omega, c = 0.1, 1 + 0.2**2
    points, lines = fixed_points("euclidean", 2, weight_decay=omega, sigma1=0.2)
    low, high = ((1 + sign * np.sqrt(1 - 4 * c * omega)) / (2 * c) for sign in (-1, 1))
    stability = {0: -1, np.sqrt(low): 1, np.sqrt(high): -1}
    assert lines == []
    assert len(points) == 9
    for (a, first), (b, second) in ((x, y) for x in stability.items() for y in stability.items()):
        kind = "saddle" if first != second else "stable" if first < 0 else "unstable"
        point = points[tuple(np.round((a, b), 6))]
        assert point["kind"] == kind
        np.testing.assert_allclose(point["x"], (a, b), atol=1e-9)


def test_eigenvalues_are_those_of_the_derivative():
    points, _ = fixed_points("euclidean", 2, weight_decay=0.1)
    v = (1 + np.sqrt(0.6)) / 2  # ds/dt = s (v − v² − ω), so the derivative is 2 v − 4 v²
    values = [value["re"] for value in points[tuple(np.round([np.sqrt(v)] * 2, 6))]["values"]]
    np.testing.assert_allclose(values, 2 * v - 4 * v**2, rtol=1e-6)


def test_where_the_eigenvalue_vanishes_the_field_beside_decides():
    points, _ = fixed_points("euclidean", 2)
    kinds = {x: point["kind"] for x, point in points.items()}
    assert kinds == {(1, 1): "stable", (0, 1): "saddle", (1, 0): "saddle", (0, 0): "unstable"}


def test_a_learned_predictor_rests_where_tian_has_it():
    decay = {"weight_decay": 0.1, "predictor_decay": 0.1}
    points, _ = fixed_points("euclidean", 1, predictor="learned", predictor_rate=2.0, **decay)
    p = (1 + np.array([-1, 1]) * np.sqrt(0.6)) / 2
    expected = {(0.0, 0.0): "stable"}
    s = np.sqrt(p**2 / 2)
    expected |= {(s[0].round(6), p[0].round(6)): "saddle", (s[1].round(6), p[1].round(6)): "stable"}
    assert {x: point["kind"] for x, point in points.items()} == expected


def test_equal_eigenvalues_of_the_cosine_loss_are_one_line_and_no_thousand_points():
    points, lines = fixed_points("cosine", 2)
    assert points == {}
    stable = [np.array(line["states"]) for line in lines if set(line["kinds"]) == {"stable"}]
    assert len(stable) == 1
    np.testing.assert_allclose(stable[0][:, 0], stable[0][:, 1], atol=1e-6)
    ends = np.sort(stable[0][[0, -1], 0]) / np.sqrt(2)  # in units of the window
    np.testing.assert_allclose(ends, [0, 1], atol=1e-3)


def test_nullclines_of_independent_modes_are_straight_and_separate():
    omega = 0.1
    system, dynamics = system_and_dynamics("euclidean", 2, weight_decay=omega)
    script = "const result = zeroBranches(rateGrid(field, plane, 33, 6), 0);"
    branches = [np.array(branch) for branch in run_on_system(script, system, dynamics)]
    assert len(branches) == 2
    expected = (1 + np.array([-1, 1]) * np.sqrt(1 - 4 * omega)) / 2
    found = sorted(branches, key=lambda branch: branch[0, 0])
    for branch, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(branch[:, 0], value, atol=1e-6)
        assert np.ptp(branch[:, 1]) > 1.99


def test_a_closed_nullcline_is_one_closed_curve():
    circle = """
    const square = [0, 1].map((coordinate) => ({ coordinate, squared: false, odd: false, top: 2 }));
    const ring = (x, out) => {
      out[0] = (x[0] - 1) ** 2 + (x[1] - 1) ** 2 - 0.4;
      out[1] = 1;
      return out;
    };
    const result = [0, 1].map((which) => zeroBranches(rateGrid(ring, square, 40, 6), which));
    """
    first, second = run_on_system(circle, *plain())
    assert second == []
    (branch,) = map(np.array, first)
    np.testing.assert_allclose(branch[0], branch[-1])
    np.testing.assert_allclose(((branch - 1) ** 2).sum(axis=1), 0.4, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        ("euclidean", {}),
        ("euclidean", {"sigma1": 0.5, "weight_decay": 0.05}),
        ("cosine", {}),
        ("cosine", {"weight_decay": 0.05}),
        ("iso-cosine", {"sigma1": 0.3}),
    ],
)
def test_a_trajectory_is_that_of_simulate(loss, settings):
    start, duration = [0.3, 1.2], 8.0
    system, dynamics = system_and_dynamics(loss, 2, **settings)
    told = {"start": np.sqrt(start).tolist(), "duration": duration, "rtol": 1e-9}
    found = run_on_system(FOLLOW, system, dynamics, **told)
    assert found["ended"] == "time"
    steps = round(duration / system.settings.learning_rate)
    expected = simulate(loss, start, steps=steps, **settings)["variance"].isel(time=-1)
    np.testing.assert_allclose(np.square(found["states"][-1]), expected, atol=1e-7)


def test_points_between_steps_lie_on_the_trajectory():
    system, dynamics = plain()
    told = {"start": [0.3, 0.8], "duration": 12.0, "rtol": 1e-8}
    found = run_on_system(FOLLOW, system, dynamics, **told)
    data = simulate("euclidean", [0.09, 0.64], steps=1200, learning_rate=0.01, saves=1201)
    expected = np.interp(found["times"], data["time"], data["variance"].sel(mode=0))
    np.testing.assert_allclose(np.square(found["states"])[:, 0], expected, atol=1e-5)


def test_the_error_falls_with_the_fourth_power_of_the_step():
    script = """
    const swing = (x, out) => { out[0] = x[1]; out[1] = -Math.sin(x[0]); return out; };
    const after = (steps) => {
      let x = [1, 0];
      for (let k = 0; k < steps; k += 1) {
        const slope = (y) => swing(y, [0, 0]);
        const jacobian = [[0, 1], [-Math.cos(x[0]), 0]];
        x = rosenbrockStep(slope, x, slope(x), jacobian, 4 / steps).next;
      }
      return x;
    };
    const result = [40, 80, 160, 2560].map(after);
    """
    coarse, middle, fine, best = map(np.array, run_on_system(script, *plain()))
    errors = [np.linalg.norm(each - best) for each in (coarse, middle, fine)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (orders > 3.8).all()


def test_back_and_forth_ends_at_the_start():
    script = """
    const told = { ...options, duration: 3, rtol: 1e-10 };
    const there = follow(field, [0.5, 0.9], { ...told, sign: -1 });
    const result = [there.times.at(-1), follow(field, there.states.at(-1), told).states.at(-1)];
    """
    time, state = run_on_system(script, *system_and_dynamics("cosine", 2))
    assert time == -3
    np.testing.assert_allclose(state, [0.5, 0.9], atol=1e-8)


def test_collapse_is_followed_through_its_stiffness():
    script = FOLLOW.replace("...options", "...options, mostSteps: 1500")
    system, dynamics = system_and_dynamics("iso-cosine", 2, weight_decay=0.1)
    told = {"start": [0.77, 0.62], "duration": 150, "rtol": 1e-8}
    assert run_on_system(script, system, dynamics, **told)["ended"] == "collapse"


def test_numbers_come_through_base64_unchanged():
    values = [0.1, -1e-300, 3.0, np.pi]
    text = base64.b64encode(np.array(values, "<f8").tobytes()).decode()
    script = "const result = [...decodeNumbers(data.text)];"
    assert run_on_system(script, *plain(), text=text) == values


def test_without_stop_gradient_lines_that_repel_part_the_basins_of_collapse():
    points, lines = fixed_points("cosine", 2, stop_gradient=False, sigma2=0.2)
    assert points == {}
    assert all(len(set(line["kinds"])) == 1 for line in lines)
    assert sorted(line["kinds"][0] for line in lines) == ["stable"] * 3 + ["unstable"] * 2


@pytest.mark.parametrize("n", GRIDS)
def test_a_double_root_is_half_stable_in_the_page_as_in_the_tables(n):
    loss = design_loss("-(lam - 1)**2").loss
    points, lines = fixed_points(loss, 2, n)
    assert len(points) == 4
    told = {p["kind"] for x, p in points.items() if 1 in np.round(x, 3)}
    assert told == {"half-stable"}
    assert lines == []


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        ("euclidean", {"weight_decay": 0.1}),
        *first_of(
            ("euclidean", {}),
            ("cosine", {}),
            ("euclidean", {"stop_gradient": False, "sigma2": 0.0}),
        ),
    ],
)
def test_the_page_and_the_tables_have_one_word_for_one_thing(loss, settings):
    found = rests(phase_plane(loss, **settings), {}).points
    for n in GRIDS[1:3]:
        points, lines = fixed_points(loss, 2, n, **settings)
        alone = sorted((*p.x.round(4), p.stability) for p in found if not len(p.continuum))
        assert alone == sorted((*np.round(x, 4), p["kind"]) for x, p in points.items())
        told = sorted(kind for line in lines for kind in set(line["kinds"]))
        assert told == sorted(p.stability for p in found if len(p.continuum))


@pytest.mark.parametrize("n", GRIDS)
def test_a_nullcline_that_touches_zero_is_drawn_in_the_page_too(n):
    """−(v − a)² vanishes at v = a on both sides of which it is negative."""
    script = """
    const touching = (x, out) => {
      out[0] = -x[0] * (x[0] ** 2 - data.a) ** 2;
      out[1] = x[1] * (1 - x[1] ** 2);
      return out;
    };
    const result = nullclines(rateGrid(touching, plane, data.n, 0)).map(
      ({ crossing, touching }) => [...crossing, ...touching],
    );
    """
    for a in (1.0, 0.7123):
        first, second = run_on_system(script, *plain(), n=n, a=a)
        for branch in map(np.array, first):
            np.testing.assert_allclose(branch[:, 0], a, atol=1e-3)
            assert np.ptp(branch[:, 1]) > 1.9
        assert len(first) >= 1
        assert len(second) == 1


def test_rates_that_do_not_reach_zero_have_no_nullcline():
    script = """
    const ghost = (x, out) => {
      out[0] = -x[0] * ((x[0] ** 2 - 1) ** 2 + 1e-3);
      out[1] = x[1] * (1 - x[1] ** 2);
      return out;
    };
    const result = nullclines(rateGrid(ghost, plane, 34, 0));
    """
    assert run_on_system(script, *plain())[0] == {"crossing": [], "touching": []}
