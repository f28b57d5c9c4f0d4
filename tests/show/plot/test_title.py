"""Claims about titles: a line begins with a word, and presets are named whole."""

import pytest

from eigendyn.settings.presets import METHODS
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.wording import told
from eigendyn.show.plot.title import _lines

WRITTEN = "sum((lam*z1 - sg(z2))**2) / norm(sg(z2)), learned predictor, EMA target"


@pytest.mark.parametrize("letters", range(40, 60))
def test_no_line_begins_with_a_comma_or_is_too_long(letters):
    for sentence in (WRITTEN, WRITTEN.split(", ")[0]):
        lines = _lines(sentence, letters)
        assert max(map(len, lines)) <= letters
        assert not any(line.startswith(",") for line in lines)


@pytest.mark.parametrize("preset", METHODS)
def test_the_title_of_a_preset_leaves_nothing_out(preset):
    chosen = Settings(**METHODS[preset])
    assert "…" not in " ".join(_lines(told(chosen.loss, vars(chosen)), 40))
