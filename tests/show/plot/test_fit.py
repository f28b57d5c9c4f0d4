"""Claims about the picture of a fit."""

import pytest
from matplotlib.figure import Figure

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.show.plot.fit import plot_fit
from tests.fitting.planted import euclidean_fit


def test_every_mode_has_points_a_band_and_the_forecast_of_the_best_loss():
    found = euclidean_fit()
    ax = plot_fit(found, Figure().add_subplot())
    recorded, foretold = ax.get_lines()[0], ax.get_lines()[1]
    assert recorded.get_ydata() == pytest.approx(found["variance"].values[0])
    assert foretold.get_ydata() == pytest.approx(found["forecast"].values[0, 0])
    assert len(ax.collections) == found.sizes["mode"]


def test_what_is_no_fit_is_refused():
    run = eigendyn.simulate("euclidean", [0.1, 0.2], steps=3)
    with pytest.raises(InvalidSetting, match=r"eigendyn\.fit"):
        plot_fit(run)
