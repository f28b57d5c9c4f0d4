"""Claims about the settings of a network."""

import pytest

from eigendyn.errors import EigendynError
from eigendyn.network.network import Network


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"batch": 0}, "≥ 2, not 0"),
        ({"batch": 1}, "≥ 2, not 1"),
        ({"batch": 2.5}, "whole number"),
        ({"batch": None}, "Try a large batch"),
        ({"batch": None, "loss": "euclidean", "encoder": "relu"}, "Try a large batch"),
        ({"loss": "cosin"}, "Did you mean 'cosine'"),
        ({"encoder": "conv"}, "Known: linear, relu"),
        ({"predictor": "mlp"}, "Known: direct"),
        ({"target": "emma"}, "Did you mean 'ema'"),
        ({"momentum": 1.0}, "below 1"),
        ({"ema": -0.1}, "at least 0"),
        ({"predictor_rate": 0}, "> 0"),
        ({"target": "ema", "stop_gradient": False}, "Leave out one"),
        ({"beta": 0.5, "predictor": "learned"}, "no gradient reaches"),
        ({"beta": 0.5, "stop_gradient": False}, "Leave out one"),
        ({"loss": "cosin"}, "Did you mean 'cosine'"),
        ({"beta": 0.5, "loss": "iso-cosine"}, "family of cosine at β = 1"),
        ({"learning_rate": float("nan")}, "finite"),
    ],
)
def test_a_network_without_meaning_is_refused_in_one_sentence(settings, said):
    with pytest.raises(EigendynError, match=said):
        Network(**settings)
