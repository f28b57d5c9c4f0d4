"""Claims about the list of systems that are cross-checked."""

from eigendyn.choices import LOSS_NAMES
from eigendyn.network.settings import Network
from eigendyn.settings import Settings
from eigendyn.systems import systems


def test_every_loss_stands_with_every_variant():
    known = [settings for _, settings in systems()]
    for loss in LOSS_NAMES:
        for predictor in (True, False):
            for stops in (True, False):
                assert any(
                    settings["loss"] == loss
                    and settings.get("predictor", True) == predictor
                    and settings.get("stop_gradient", True) == stops
                    for settings in known
                )


def test_every_system_is_valid_and_has_a_name_of_its_own():
    names = [name for name, _ in systems()]
    assert len(set(names)) == len(names)
    for _, settings in systems():
        Settings(**settings)
        predictor = "direct" if settings.get("predictor", True) else "none"
        Network(**{**settings, "predictor": predictor})
