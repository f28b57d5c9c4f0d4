"""Claims about the list of systems that are cross-checked."""

from eigendyn.crosschecks.systems import systems
from eigendyn.network.network import Network
from eigendyn.settings.choices import LOSS_NAMES, LOSS_ROWS, PREDICTORS, TARGETS
from eigendyn.settings.run_settings import Settings


def test_every_loss_stands_with_every_predictor_and_target():
    known = [settings for _, settings in systems()]
    for loss in LOSS_NAMES:
        for predictor in PREDICTORS:
            if predictor == "learned" and not LOSS_ROWS[loss].trains_predictor:
                continue
            for target in TARGETS:
                assert any(
                    settings["loss"] == loss
                    and settings.get("predictor", "direct") == predictor
                    and settings.get("target", "shared") == target
                    for settings in known
                )
        for predictor in ("direct", "none"):
            assert any(
                settings["loss"] == loss
                and settings.get("predictor", "direct") == predictor
                and not settings.get("stop_gradient", True)
                for settings in known
            )


def test_every_system_is_valid_and_has_a_name_of_its_own():
    names = [name for name, _ in systems()]
    assert len(set(names)) == len(names)
    for _, settings in systems():
        loss = settings["loss"]
        plain = settings | {"loss": loss if isinstance(loss, str) else loss.name}
        plain.pop("scale", None)
        Settings(**plain)
        Network(**plain)
