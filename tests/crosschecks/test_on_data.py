"""Claims about cross-checks on measured data."""

import json
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from structures import first_of

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.crosschecks.on_data import crosscheck_data, recruitment_times
from eigendyn.data.starting import start
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.results.files import save
from eigendyn.show.plot.agreement_on_data import plot_on_data
from eigendyn.show.report.agreement_on_data import summary, table

QUICK = {"modes": 4, "scale": 0.8, "learning_rate": 0.2, "steps": 240, "saves": 13, "seeds": 6}


@cache
def digits():
    return eigendyn.data.digits("shift:1,noise:0.05")


@cache
def checked(loss, gaussian=False):
    return crosscheck_data(loss, digits(), gaussian=gaussian, batch=128, **QUICK)


@pytest.mark.parametrize("gaussian", first_of(False, True))  # the command below takes both
def test_networks_on_real_views_follow_the_matrix_and_not_aligned_modes(gaussian):
    compared = checked("euclidean", gaussian)["agreement"]
    verdicts = dict(zip(compared["theory"].values, compared["verdict"].values, strict=True))
    assert verdicts == {"aligned": "disagrees", "matrix": "agrees"}
    within = compared["within_one"].sel(theory="matrix").item()
    assert within > 0.4  # 0.68 of independent deviations; those of one network are not
    times, error = (compared[f"recruitment_time{end}"].values for end in ("", "_error"))
    recruited = np.isfinite(times)
    assert recruited.sum() >= 2
    predicted = compared["predicted_time"].sel(theory="matrix").values
    assert (np.abs(predicted - times)[recruited] < 5 * error[recruited]).all()


def test_aligned_modes_tell_when_the_first_components_are_recruited_to_ten_percent():
    """Against the matrix, which networks follow, from the start at which 0.3 is small."""
    settings = {"learning_rate": 0.2, "steps": 3000, "saves": 121, "method": "steps"}
    matrix = eigendyn.matrix_flow("euclidean", digits(), **settings)
    modes = eigendyn.simulate("euclidean", **start(digits()), **settings)
    ordered = np.sort(modes["variance"].values, axis=0)[::-1]
    times = matrix["time"].values
    exact, aligned = (
        recruitment_times(one, times)[:3] for one in (matrix["eigenvalue"].values, ordered)
    )
    np.testing.assert_allclose(aligned, exact, rtol=0.1)
    assert (aligned < exact).all()  # their end values are smaller


def test_losses_that_are_not_euclidean_have_no_matrix_theory():
    tree = crosscheck_data("cosine", digits(), batch=32, **{**QUICK, "steps": 20, "saves": 3})
    assert list(tree["agreement"]["theory"].values) == ["aligned"]
    assert tree["descent"].attrs["status"] == "completed"


def test_recruitment_is_half_of_the_end_value_of_what_ends_large():
    times = np.linspace(0, 10, 101)
    grows = np.minimum(np.exp(times - 7), 1.0)
    small, large = 0.01 * grows, np.full(101, 0.9)
    found = recruitment_times(np.stack([grows, large, small]), times)
    np.testing.assert_allclose(found, [7 - np.log(2), np.nan, np.nan], rtol=1e-12)


def test_what_cannot_be_compared_is_refused():
    for error, given in (
        (UnknownName, {"loss": "euclid"}),
        (InvalidSetting, {"method": "flow"}),
        (InvalidSetting, {"modes": 60}),
        (InvalidSetting, {"seeds": 1}),
        (InvalidSetting, {"batch": 4}),
    ):
        with pytest.raises(error):
            crosscheck_data(**{"loss": "euclidean", "data": digits(), **given})


def test_table_summary_and_picture_tell_the_same():
    tree = checked("euclidean")
    said = summary(tree)
    json.dumps(said, allow_nan=False)
    end = tree["matrix"]["eigenvalue"].values[:, -1]
    np.testing.assert_allclose(said["theories"]["matrix"]["eigenvalues"], end)
    text = table(tree)
    assert "leaves out nothing; agrees" in text
    assert f"{end[0]:.5g}" in text
    ax = plot_on_data(tree)
    networks = [bars for bars in ax.containers if len(bars.lines[0].get_xdata())]
    dots = {bars.lines[0] for bars in networks}
    lines = [line for line in ax.get_lines() if len(line.get_xdata()) and line not in dots]
    assert len(lines) == 2 * QUICK["modes"]
    assert len(networks) == QUICK["modes"]
    descent = tree["descent"].to_dataset()
    large = descent["eigenvalue"].values[descent["batch"].values == 128]
    np.testing.assert_allclose(networks[0].lines[0].get_ydata(), large[:, 0].mean(axis=0))
    (bars,) = networks[0].lines[2]
    ends = np.array(bars.get_segments())[:, :, 1].T
    np.testing.assert_allclose(ends, [large[:, 0].min(axis=0), large[:, 0].max(axis=0)])
    assert networks[0].lines[0].get_zorder() > lines[0].get_zorder()  # no line hides them


def test_the_command_takes_real_views_and_gaussian_ones(tmp_path):
    save(digits(), tmp_path / "digits.nc")
    options = ["--modes", "2", "--steps", "10", "--saves", "3", "--seeds", "2", "--batch", "16"]
    for name in (f"{tmp_path / 'digits.nc'}", f"gaussian:{tmp_path / 'digits.nc'}"):
        given = ["crosscheck", "--loss", "euclidean", "--data", name, *options, "--json"]
        done = CliRunner().invoke(cli, given)
        assert done.exit_code in (0, 3), done.output
        said = json.loads(done.stdout)
        assert ("gaussian" in said["views"]) == name.startswith("gaussian")
        assert set(said["theories"]) == {"aligned", "matrix"}
