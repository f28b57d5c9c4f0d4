"""Claims about arguments of another kind than is taken: refused in words, whatever is given."""

from operator import attrgetter

import numpy as np
import pytest
import xarray

import eigendyn
from eigendyn.errors import EigendynError, InvalidSetting

TIMES = np.arange(3.0)
WRONG = {
    "a number": 5,
    "nothing": None,
    "a list": [1, 2],
    "another table": xarray.Dataset({"x": ("place", [1.0])}),
}
TAKES = {  # what takes something that another function makes, and what makes it
    "save": (lambda given: eigendyn.save(given, "run.nc"), "simulate"),
    "plot_run": (eigendyn.plot.run, "simulate"),
    "plot_agreement": (eigendyn.plot.agreement, "crosscheck"),
    "plot_bifurcation": (eigendyn.plot.bifurcation, "continue_fixed_points"),
    "plot_components": (eigendyn.plot.components, r"data\.from_inputs"),
    "draw": (lambda given: eigendyn.data.draw(given, 2, None), r"data\.from_inputs"),
    "plot_diagnosis": (eigendyn.plot.diagnosis, "diagnose"),
    "plot_ensemble": (eigendyn.plot.ensemble, "ensemble"),
    "plot_training": (eigendyn.plot.training, "train"),
    "phase_portrait": (eigendyn.plot.phase_portrait, "phase_plane"),
    "close": (eigendyn.theory.close, r"theory\.mode_dynamics"),
    "descend": (
        lambda given: eigendyn.network.descend(np.eye(2), given, [0, 1]),
        r"network\.Network",
    ),
    "fixed_points": (lambda given: eigendyn.fixed_points(given, [0], [1]), "dynamical_system"),
    "continue_fixed_points": (
        lambda given: eigendyn.continue_fixed_points(given, "sigma1", (0, 1)),
        "dynamical_system",
    ),
    "fold_curve": (
        lambda given: eigendyn.analysis.fold_curve(given, "weight_decay", (0, 1), "sigma1", (0, 1)),
        "dynamical_system",
    ),
    "passage_time": (
        lambda given: eigendyn.analysis.passage_time(given, 0.1, 0.2),
        "dynamical_system",
    ),
    "flow": (lambda given: eigendyn.simulation.flow(given, np.eye(1), TIMES, {}), "vector_field"),
    "descent_steps": (
        lambda given: eigendyn.simulation.descent_steps(given, np.eye(1), np.arange(3), 0.1, {}),
        "vector_field",
    ),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", [one for one in WRONG if one != "another table"])
@pytest.mark.parametrize("verb", TAKES)
def test_what_another_function_makes_is_asked_for_by_its_name(here, verb, given):
    call, maker = TAKES[verb]
    with pytest.raises(InvalidSetting, match=rf"must be what eigendyn\.{maker}\(.* gives, not "):
        call(WRONG[given])


@pytest.mark.parametrize("verb", [name for name in TAKES if name != "save"])
def test_a_table_of_something_else_is_no_run(verb):
    with pytest.raises(InvalidSetting, match="not an object of type Dataset"):
        TAKES[verb][0](WRONG["another table"])


def test_an_ensemble_is_no_run_and_a_run_is_no_cross_check():
    many = eigendyn.ensemble("euclidean", [[0.1, 1.0], [0.2, 2.0]], times=TIMES)
    run = eigendyn.simulate("euclidean", [0.1, 1.0], steps=9)
    with pytest.raises(InvalidSetting, match="simulate"):
        eigendyn.plot.run(many)
    with pytest.raises(InvalidSetting, match="crosscheck"):
        eigendyn.plot.agreement(run)


@pytest.mark.parametrize("given", WRONG)
def test_a_path_is_text_or_a_path(here, given):
    run = eigendyn.simulate("euclidean", [0.1, 1.0], steps=9)
    for call in (eigendyn.load, lambda path: eigendyn.save(run, path)):
        with pytest.raises(InvalidSetting, match=r"path must be text or a Path"):
            call(WRONG[given])


@pytest.mark.parametrize("given", [5, [1, 2], np.array([None, None])])
def test_axes_are_those_of_matplotlib(given):
    run = eigendyn.simulate("euclidean", [0.1, 1.0], steps=9)
    with pytest.raises(InvalidSetting, match=r"ax must be axes of matplotlib"):
        eigendyn.plot.run(run, given)


@pytest.mark.parametrize("given", WRONG.values())
@pytest.mark.parametrize(
    "verb",
    [
        *("audit", "theory.derivation", "theory.mode_dynamics", "theory.conserved_quantities"),
        *("network.Network", "named_loss", "parse_loss"),
        *("theory.without_predictor", "theory.without_stop_gradient"),
        *("dynamical_system", "vector_field", "phase_plane", "ensemble"),
    ],
)
def test_a_loss_is_a_name_or_a_loss(verb, given):
    with pytest.raises(EigendynError):
        attrgetter(verb)(eigendyn)(given)
