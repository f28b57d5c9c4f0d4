"""Claims about representations over training."""

import numpy as np
import pytest

from eigendyn.analysis.rates.representations import representations
from eigendyn.errors import InvalidSpectrum
from eigendyn.network.descent import descend
from eigendyn.network.network import Network
from eigendyn.settings.spectrum import published_samples, published_weights


def test_representations_move_with_the_modes_of_a_network():
    weights, samples = published_weights("trajectories"), published_samples()
    network = Network("euclidean", batch=None, learning_rate=0.05)
    measures = ("singular_value", "representation")
    trained = descend(weights, network, [0, 20, 200], measures=measures, samples=samples).measures
    found = representations(weights, samples, trained["singular_value"][0])
    np.testing.assert_allclose(found, trained["representation"][0], atol=1e-12)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidSpectrum, match="need inputs"):
        representations(np.eye(2, 3), np.ones((2, 5)), np.ones((2, 4)))
