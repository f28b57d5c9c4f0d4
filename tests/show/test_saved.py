"""Claims about drawing whatever a file holds."""

from pathlib import Path

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure
from structures import first_of
from trained import trained

import eigendyn
from eigendyn.analysis.bifurcations.diagram_data import curves_of, diagram_data, diagram_of
from eigendyn.errors import EigendynError, InvalidSetting
from eigendyn.recording.record import as_record
from eigendyn.show.saved import KINDS, kind_of

FIGURES_MADE = Path(eigendyn.__file__).parent.parent / "figures"
TIMES = np.linspace(0, 10, 11)
STARTS = [[0.1, 1.0], [0.2, 2.0], [0.05, 0.4]]


@pytest.fixture(scope="module")
def diagram():
    system = eigendyn.dynamical_system("euclidean", modes=1)
    found = eigendyn.continue_fixed_points(system, "weight_decay", (0, 0.4))
    folds = found.special_points
    two = (("weight_decay", (0, 0.4)), ("sigma1", (0, 1)))
    return found, eigendyn.analysis.fold_curve(system, *two[0], *two[1], folds=folds)


def tree(*names):
    return xarray.DataTree.from_dict({f"/{name}": xarray.Dataset() for name in names})


def measured():
    return xarray.Dataset({"signal": ("component", [1.0]), "noise1": ("component", [1.0])})


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (tree("theory", "descent", "agreement"), "a cross-check"),
        (tree("aligned", "matrix", "descent", "agreement"), "a cross-check on data"),
        (measured(), "measured data"),
        (trained(), "a training on images"),
        (as_record(trained()), "a recorded spectrum"),
    ],
)
def test_a_result_is_of_one_kind_alone(result, words):
    assert [kind.words for kind in KINDS if kind.fits(result)] == [words]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: eigendyn.simulate("cosine", [0.1, 1.0], steps=50), "a run of simulate"),
        (lambda: eigendyn.ensemble("euclidean", STARTS, times=TIMES), "an ensemble"),
        (lambda: eigendyn.diagnose("euclidean", [0.01, 1.0], steps=50).to_xarray(), "a diagnosis"),
        # Drawn quickly in plot/test_training.py, and known above.
        pytest.param(trained, "a training on images", marks=pytest.mark.full),
    ],
)
def test_a_result_that_was_saved_is_known_and_drawn(made, words, tmp_path):
    path = eigendyn.save(made(), tmp_path / "result.nc")
    result = eigendyn.load(path)
    assert [kind.words for kind in KINDS if kind.fits(result)] == [words]
    kind = kind_of(result)
    kind.draw(result, tmp_path / "picture.png", False)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_an_ensemble_is_drawn_as_the_median_and_most_of_its_trajectories():
    many = eigendyn.ensemble("euclidean", STARTS, times=TIMES)
    axes = eigendyn.plot.ensemble(many, Figure().add_subplot())
    variance = many["singular_value"].values ** 2
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.median(variance[:, 0], axis=0))
    edge = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert edge.max() == pytest.approx(np.quantile(variance[:, 0], 0.9, axis=0).max())
    assert "3 trajectories" in axes.get_title()


def test_an_ensemble_of_final_states_is_refused_with_what_to_try():
    final = eigendyn.ensemble("euclidean", STARTS, times=TIMES, keep="final")
    with pytest.raises(InvalidSetting, match="keep='trajectory'"):
        eigendyn.plot.ensemble(final)


def test_branches_are_read_back_as_they_were_saved(diagram, tmp_path):
    first, curves = diagram
    path = eigendyn.save(diagram_data(first, curves, loss="euclidean"), tmp_path / "branches.nc")
    saved = eigendyn.load(path)
    again, folds = diagram_of(saved), curves_of(saved)
    assert (again.driven, again.between, again.names) == (first.driven, (0, 0.4), first.names)
    for one, other in zip(first.branches, again.branches, strict=True):
        assert one.ended == other.ended
        for name in ("parameter", "x", "eigenvalues", "stability"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for one, other in zip(first.special_points, again.special_points, strict=True):
        assert (one.kind, one.parameter) == (other.kind, other.parameter)
        np.testing.assert_array_equal(one.x, other.x)
    for one, other in zip(curves, folds, strict=True):
        assert one.driven == other.driven
        np.testing.assert_array_equal(one.second, other.second)
    kind_of(saved).draw(saved, tmp_path / "branches.png", False)


def test_what_cannot_be_drawn_is_refused_with_what_can():
    table = xarray.Dataset({"x": ("place", [1.0])}, attrs={"title": "places"})
    with pytest.raises(
        InvalidSetting, match=r"run of simulate.* a training.* or the numbers of a figure.*places"
    ):
        kind_of(table)


@pytest.mark.parametrize("name", first_of("bifurcation", "8", "digits"))
def test_a_figure_is_drawn_again_from_its_numbers(name, tmp_path):
    saved = eigendyn.load(FIGURES_MADE / f"figure-{name}.nc")
    kind = kind_of(saved)
    assert kind.words == "the numbers of a figure"
    kind.draw(saved, tmp_path / "again.png", False)
    assert (tmp_path / "again.png").read_bytes().startswith(b"\x89PNG")


def test_the_store_of_a_sweep_is_read_and_drawn(tmp_path):
    pytest.importorskip("zarr")
    swept = xarray.Dataset(
        {"recruited": (("weight_decay", "sigma2"), np.arange(6).reshape(2, 3))},
        {"weight_decay": [0.0, 0.1], "sigma2": [0.0, 0.1, 0.2]},
        {"kind": "a sweep"},
    )
    swept.to_zarr(tmp_path / "sweep.zarr", consolidated=False)
    found = eigendyn.load(tmp_path / "sweep.zarr")
    assert found.equals(swept)
    kind = kind_of(found)
    assert kind.words == "a sweep"
    kind.draw(found, tmp_path / "sweep.png", False)
    (tmp_path / "sweep.zarr" / "zarr.json").write_text("text")
    with pytest.raises(EigendynError, match="must be the store of a sweep"):
        eigendyn.load(tmp_path / "sweep.zarr")
