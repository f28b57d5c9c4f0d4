"""Claims about maps of sweeps, and the borders that the theory draws over them."""

import json

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.results.outcome_words import OUTCOMES

DECAYS, NOISES = np.linspace(0, 0.3, 13), np.linspace(0, 1, 9)
START = [0.8, 0.1]
WORDS = ["not-run", *OUTCOMES]


def limit(noise):
    """Largest weight decay of the plain Euclidean loss, 1/(4(1 + σ₁²)), by hand."""
    return 1 / (4 * (1 + noise**2))


def kept(noise, start):
    """The same below which a small start is kept: λ₀ − λ₀²(1 + σ₁²)."""
    return start - start**2 * (1 + noise**2)


def swept(**more):
    """A sweep as it would be, from the closed forms: of two losses, two modes."""
    w, s = np.meshgrid(DECAYS, NOISES, indexing="ij")
    alive = [w < (limit(s) if v > 0.5 else np.minimum(limit(s), kept(s, v))) for v in START]
    plain = np.stack(alive, axis=-1)
    lives = np.stack([plain, np.ones_like(plain)])
    codes = np.where(lives, WORDS.index("recruited") - 1, WORDS.index("collapsed") - 1)
    codes[0, 0, 0, 0] = -1
    over = ("loss", "weight_decay", "sigma1")
    flags = {"flag_values": list(range(-1, len(OUTCOMES))), "flag_meanings": " ".join(WORDS)}
    return xarray.Dataset(
        {
            "outcome": ((*over, "mode"), codes.astype("int8"), flags),
            "recruited": (over, lives.sum(axis=-1).astype("int32"), {"of": "sweep"}),
            "final_variance": ((*over, "mode"), lives * 0.9 + 1e-9),
        },
        {
            "loss": ["euclidean", "iso-euclidean"],
            "weight_decay": DECAYS,
            "sigma1": NOISES,
            "mode": [0, 1],
        },
        {
            "kind": "a sweep",
            "configuration": json.dumps({"settings": {}, "variances": START}),
            **more,
        },
    )


def axes():
    return Figure(figsize=(6, 4)).add_subplot()


def words_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_sweep_is_a_map_of_recruited_modes_with_axes_for_each_loss():
    found = eigendyn.plot.sweep(swept())
    assert [ax.get_title() for ax in found] == ["euclidean", "iso-euclidean"]
    assert found[0].get_xlabel() == "weight decay ω"
    assert words_of(found[-1])[:3] == ["0", "1", "2"]


@pytest.mark.parametrize("names", [("weight_decay", "sigma1"), ("sigma1", "weight_decay")])
def test_borders_of_the_theory_are_those_of_the_outcomes(names):
    x, y = names
    held = {"loss": "euclidean"}
    ax = eigendyn.plot.sweep(swept(), axes(), x=x, y=y, quantity="outcome", mode=1, held=held)
    words = words_of(ax)
    assert words[:2] == ["recruited", "collapsed"]
    assert words[-2:] == ["saddle-node (theory)", "border of the start (theory)"]
    cells = np.asarray(ax.collections[0].get_array())
    assert cells.shape == (len(swept()[y]), len(swept()[x]))
    lines = [dict(zip(names, line.get_data(), strict=True)) for line in ax.lines[1::2]]
    for line, expected in zip(lines, (limit, lambda s: kept(s, START[1])), strict=True):
        np.testing.assert_allclose(line["weight_decay"], expected(line["sigma1"]), rtol=1e-12)
    assert ax.get_title() == "euclidean, mode 1"


def test_what_was_not_run_yet_is_said():
    held = {"loss": "euclidean"}
    ax = eigendyn.plot.sweep(swept(), axes(), quantity="outcome", mode=0, held=held)
    assert "not-run" in words_of(ax)


def test_the_border_of_starts_is_drawn_over_starts_on_a_logarithmic_axis():
    starts = np.geomspace(1e-3, 1, 20)
    w, v = np.meshgrid(DECAYS, starts, indexing="ij")
    sweep = xarray.Dataset(
        {"final_variance": (("weight_decay", "variance", "mode"), (w < kept(0, v))[..., None] + 0)},
        {"weight_decay": DECAYS, "variance": starts, "mode": [0]},
        {"kind": "a sweep", "configuration": '{"settings": {"loss": "euclidean"}}'},
    )
    ax = eigendyn.plot.sweep(sweep, axes())
    assert ax.get_yscale() == "log"
    decay, start = ax.lines[-1].get_data()
    small = start < 0.5
    np.testing.assert_allclose(decay[small], kept(0, start[small]), rtol=1e-12)


def test_modes_that_compete_have_no_border():
    sweep = swept().isel(loss=0).drop_vars("loss")
    sweep.attrs["configuration"] = '{"settings": {"loss": "cosine"}}'
    assert not eigendyn.plot.sweep(sweep, axes(), mode=0).lines


@pytest.mark.full
def test_a_saddle_node_without_a_closed_form_is_followed():
    sweep = swept().isel(loss=0).drop_vars("loss")
    settings = {"loss": "euclidean", "momentum": 0.5}
    sweep.attrs["configuration"] = json.dumps({"settings": settings})
    ax = eigendyn.plot.sweep(sweep, axes(), mode=0)
    decay, noise = ax.lines[-1].get_data()
    np.testing.assert_allclose(decay, limit(noise), rtol=1e-6)


def test_samples_of_a_design_are_points():
    rng = np.random.default_rng(0)
    where = {"weight_decay": ("sample", rng.uniform(0, 0.3, 40))}
    where["sigma1"] = ("sample", rng.uniform(0, 1, 40))
    counts = ("sample", rng.integers(0, 3, 40))
    sweep = xarray.Dataset({"recruited": counts}, where, {"kind": "a sweep"})
    ax = eigendyn.plot.sweep(sweep, axes())
    np.testing.assert_array_equal(
        ax.collections[0].get_offsets()[:, 0], sweep["weight_decay"].values
    )


def test_a_quantity_over_one_dimension_is_lines():
    held = {"loss": "euclidean", "sigma1": 0.51}
    ax = eigendyn.plot.sweep(swept(), axes(), x="weight_decay", y="final_variance", held=held)
    assert len(ax.lines) == 2
    assert "noise of the first view σ₁ 0.5" in ax.get_title()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"x": "weight_decay", "y": "mode"}, "recruited does not change along mode"),
        ({"held": {"loss": "cosine"}}, "There is no loss 'cosine'"),
        ({"mode": 2}, "one of 0 … 1"),
    ],
)
def test_what_a_sweep_does_not_have_is_refused(asked, words):
    with pytest.raises(eigendyn.EigendynError, match=words):
        eigendyn.plot.sweep(swept(), **asked)
    with pytest.raises(InvalidSetting, match=r"must be what eigendyn\.sweep"):
        eigendyn.plot.sweep(eigendyn.simulate("euclidean", [0.1, 1.0], steps=9))
