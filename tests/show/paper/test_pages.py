"""Claims about the numbers behind the figures, and that every page draws and speaks."""

from importlib import import_module

import numpy as np
import pytest
from matplotlib.figure import Figure

from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.spectrum import published_weights, variances_from_weights
from eigendyn.show.paper import FIGURES, NETWORKS_ONLY, OF_DEEP
from eigendyn.show.paper import relu as relu_page
from eigendyn.show.paper.extent import until_still
from eigendyn.show.paper.variants import AS_PUBLISHED, Panel, panels
from eigendyn.show.paper.work import Descents, Work
from eigendyn.show.plot.style import style

SMALL = Descents(batch=200, seeds=2, longest=20)


def page(name):
    return import_module(f"eigendyn.show.paper.{FIGURES[name][0]}")


OWN = {"conservation", "phase-diagrams", *NETWORKS_ONLY}  # pages with a test of their own
# Of many steps: one of fewer stands for 2a; crosschecks/test_on_data.py has the runs of the digits,
# and show/test_saved.py draws their numbers.
LONG = {"2a", "digits"}
PAGES = [
    pytest.param(name, marks=pytest.mark.full if name in LONG else ())
    for name in FIGURES
    if name not in OWN and not name.startswith(OF_DEEP)
]


class Numbers(dict):
    """Numbers of the theory's figures by name, each made when it is first asked for."""

    def __missing__(self, name):
        self[name] = page(name).numbers(Work())
        return self[name]


@pytest.fixture(scope="module")
def numbers():
    return Numbers()


def theory(groups):
    return {path: one for path, one in groups.items() if path.endswith("/theory")}


def assert_complete(name, groups):
    """The page draws and speaks; runs completed; lines have named dimensions and units."""
    with style():
        assert isinstance(page(name).draw(groups), Figure)
    assert page(name).caption(groups).endswith((".", ". No networks"))
    assert {one.attrs.get("status", "completed") for one in groups.values()} == {"completed"}
    for one in groups.values():
        for variable in one.data_vars.values():
            assert not any(dim.startswith("dim_") for dim in variable.dims)
            assert "units" in variable.attrs or "long_name" in variable.attrs


@pytest.mark.parametrize("name", PAGES)
def test_every_page_draws_and_speaks_of_completed_runs_with_units(numbers, name):
    assert_complete(name, numbers[name])


def test_paths_of_representations_are_drawn_for_any_number_of_steps(monkeypatch):
    monkeypatch.setattr(Panel, "published", {"learning_rate": 0.1, "steps": 50})
    assert_complete("2a", page("2a").numbers(Work()))


def test_euclidean_starts_end_at_one_and_cosine_starts_at_their_mean(numbers):
    starts = published_weights("fixed_points")
    for path, one in theory(numbers["5"]).items():
        mean = variances_from_weights(starts[int(path[-len("0/theory")])]).mean()
        expected = mean if path.startswith("cosine") else 1.0
        np.testing.assert_allclose(one["variance"].values[:, -1], expected, rtol=0.01)


def test_the_true_gradient_conserves_what_the_published_update_does_not(numbers):
    def drift(name):
        total = numbers["2b"][f"{name}/theory"]["variance"].sum("mode").values
        return abs(total[-1] / total[0] - 1)

    assert drift("cosine-no-stop-gradient") < 0.01  # O(η) of a step
    assert drift(AS_PUBLISHED.name) > 1


def test_the_published_update_ends_where_the_published_panel_does(numbers):
    """Read off the published picture: four modes leave it, six end in it."""
    ends = numbers["2b"][f"{AS_PUBLISHED.name}/theory"]["variance"].values[:, -1]
    assert (ends[:4] > 10).all()
    np.testing.assert_allclose(ends[4:], [2.6, 1.6, 0.51, 0.18, 0.07, 0.012], rtol=0.05)


def test_larger_modes_are_recruited_first_under_plain_losses(numbers):
    for loss in ("euclidean", "cosine"):
        run = numbers["2b"][f"{loss}/theory"]
        growing = run["variance"].values[:, 0] < 0.5
        late = run["variance"].values[growing] > 0.5
        recruited = late[late.any(axis=1)]
        assert len(recruited) >= 3
        assert late[: len(recruited)].any(axis=1).all()  # those that are not are the smallest
        reached = [int(np.argmax(line)) for line in recruited]
        assert reached == sorted(reached)


def test_without_predictor_hardly_anything_moves_in_fifteen_hundred_steps(numbers):
    for loss in ("euclidean", "cosine"):
        run = numbers["2b"][f"{loss}-no-predictor/theory"]
        early = run["variance"].sel(time=run["step"] <= 1_500).values
        assert np.abs(early / early[:, :1] - 1).max() < 0.25


def test_recruitment_time_has_slope_minus_one_under_plain_losses_only(numbers):
    slopes = {loss: numbers["recruitment"][f"{loss}/theory"].attrs["slope"] for loss in LOSS_NAMES}
    assert slopes["euclidean"] == pytest.approx(-1, abs=2e-3)
    assert slopes["cosine"] == pytest.approx(-1, abs=2e-3)
    assert -0.1 < slopes["iso-euclidean"] < 0
    assert -0.1 < slopes["iso-cosine"] < 0


def test_small_modes_die_under_the_plain_loss_and_live_under_the_isotropic_one(numbers):
    lost = {
        path.removesuffix("/theory"): int((one["outcome"] == "collapsed").sum())
        for path, one in numbers["8"].items()
    }
    assert [lost[f"euclidean/{decay}"] for decay in (0.03, 0.1, 0.2)] == [1, 2, 3]
    assert [lost[f"iso-euclidean/{decay}"] for decay in (0.03, 0.1, 0.2)] == [0, 0, 0]


def test_an_ema_target_delays_recruitment(numbers):
    for loss in LOSS_NAMES:
        shared, ema = (numbers["7"][f"{loss}/{target}/theory"] for target in ("shared", "ema"))
        smallest = shared["variance"].values[-1], ema["variance"].values[-1]
        assert (smallest[0] > 0.5).any()
        half = [
            int(np.argmax(line > 0.5)) if (line > 0.5).any() else len(line) for line in smallest
        ]
        assert 0 < half[0] < half[1]


def test_the_multiplier_is_a_power_of_the_eigenvalue(numbers):
    groups = numbers["multiplier"]
    for loss in ("euclidean", "cosine"):
        isotropic = groups[f"{loss}-beta-1/theory"]["growth_rate"]
        for beta in (0, 0.5):
            ratio = groups[f"{loss}-beta-{beta:g}/theory"]["growth_rate"] / isotropic
            np.testing.assert_allclose(ratio, ratio["eigenvalue"] ** (1 - beta), rtol=1e-3)


def test_vanishing_modes_grow_at_the_asymptotic_rates(numbers):
    for loss in ("euclidean", "cosine"):
        for beta in (0.0, 1.0):
            rate = numbers["multiplier"][f"{loss}-beta-{beta:g}/theory"]["growth_rate"]
            expected = page("multiplier").asymptote(loss, beta, rate["eigenvalue"].values)
            np.testing.assert_allclose(rate.values[0], expected[0], rtol=2e-3)


def test_the_mean_field_improves_with_the_number_of_modes_only(numbers):
    errors = numbers["closures"]["errors"]
    assert 0.3 < errors["mean_field"].values[0] < 1.5
    assert errors["mean_field"].values[-1] < 0.1
    assert (errors["sampled"] < 0.05).all()


def test_bifurcations_lie_where_the_derivation_puts_them(numbers):
    assert numbers["bifurcation"]["euclidean/theory"].attrs["fold"] == pytest.approx(0.25)
    assert numbers["bifurcation"]["iso-euclidean/theory"].attrs["at_zero"] == pytest.approx(1)


@pytest.mark.parametrize("panels", [slice(2, 4), pytest.param(slice(4), marks=pytest.mark.full)])
def test_drift_is_in_proportion_to_the_learning_rate(panels, monkeypatch):
    monkeypatch.setattr(page("conservation"), "PANELS", page("conservation").PANELS[panels])
    numbers = page("conservation").numbers(Work())
    assert_complete("conservation", numbers)
    for panel in page("conservation").PANELS:
        drift = [
            numbers[f"{panel.name}/steps-{rate:g}"]["drift"].values.max()
            for rate in (0.1, 0.01, 0.001)
        ]
        np.testing.assert_allclose([drift[0] / drift[1], drift[1] / drift[2]], 10, rtol=0.1)


@pytest.mark.full  # a part that is kept, and made again, is tested below
def test_networks_lie_over_the_theory_and_their_parts_are_kept(tmp_path, monkeypatch):
    work = Work(descents=SMALL, parts=tmp_path)
    monkeypatch.setattr(page("5"), "FAMILIES", ("euclidean",))
    groups = page("5").numbers(work)
    assert sum(path.endswith("/agreement") for path in groups) == 3
    assert "2 networks trained by gradient descent on 200 samples" in page("5").caption(groups)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [f"5-euclidean-{n}.nc" for n in range(3)]
    made = "eigendyn.crosschecks.crosscheck.crosscheck"
    monkeypatch.setattr(made, None)  # found again, not made again
    again = page("5").numbers(work)
    for path, one in groups.items():
        np.testing.assert_array_equal(one["time"], again[path]["time"])


@pytest.mark.full
def test_a_part_made_with_other_settings_is_made_again(tmp_path):
    weights = published_weights("trajectories")
    settings = {"measures": ("singular_value",), "loss": "euclidean", "steps": 5, "saves": 2}
    first = Work(descents=SMALL, parts=tmp_path).networks("part", weights, **settings)
    other = Work(descents=Descents(300, 2, 20), parts=tmp_path).networks(
        "part", weights, **settings
    )
    assert (
        first["singular_value"].values[..., -1] != other["singular_value"].values[..., -1]
    ).any()


@pytest.mark.full  # trains networks
def test_relu_networks_are_named_as_such(monkeypatch):
    one = [panel for panel in panels() if panel.name == "iso-euclidean"]
    monkeypatch.setattr(relu_page, "panels", lambda: one)
    groups = page("6b").numbers(Work(descents=SMALL))
    assert list(groups) == ["iso-euclidean/networks"]
    assert "no mode theory covers a ReLU encoder" in page("6b").caption(groups)
    assert page("6b").numbers(Work()) == {}


def test_no_panel_is_mostly_a_flat_line():
    times = np.linspace(0, 100, 101)
    settled = 1 + np.exp(-times[None])
    dying = np.exp(-times[None] / 4)
    end = np.log(100)  # when exp(−t) is 1 % of what it settles at
    assert until_still(times, settled) == pytest.approx(1.4 * end, abs=1.4)
    gone = 4 * np.log(1000)  # when it leaves the picture below
    assert until_still(times, settled, dying, above=1e-3) == pytest.approx(1.4 * gone, abs=1.4)
    assert until_still(times, dying) == 100
    assert until_still(times, np.ones((2, 101))) == 100


def test_a_branch_at_zero_stands_clear_of_the_axis(numbers):
    with style():
        figure = page("bifurcation").draw(numbers["bifurcation"])
    assert all(ax.get_ylim()[0] < 0 for ax in figure.axes)


def test_both_lines_are_seen_where_they_run_together(numbers):
    with style():
        figure = page("7").draw(numbers["7"])
    for ax in figure.axes:
        shared, ema = ax.lines[0], ax.lines[10]
        assert shared.get_linewidth() > 3 * ema.get_linewidth()
        assert {line.get_linestyle() for line in ax.lines} == {"-"}  # ten dashes cover everything


def test_the_weakest_mode_is_lost_where_its_start_lies_below_the_unstable_fixed_point(monkeypatch):
    monkeypatch.setattr(page("phase-diagrams"), "POINTS", 20)
    groups = page("phase-diagrams").numbers(Work())
    assert_complete("phase-diagrams", groups)
    for loss in ("euclidean", "iso-euclidean"):
        swept = groups[f"{loss}/map"]
        decay, c = swept["weight_decay"], 1 + swept["sigma1"] ** 2
        if loss == "euclidean":  # λ − cλ² = ω, of which the smaller root is unstable
            lost = (1 - np.sqrt(np.maximum(1 - 4 * decay * c, 0))) / (2 * c) > 0.1
        else:
            lost = (decay > 1).broadcast_like(c)
        outcome = swept["outcome"].sel(mode=2)
        collapsed = outcome == outcome.attrs["flag_meanings"].split().index("collapsed") - 1
        assert (collapsed == lost.transpose(*outcome.dims)).all()
