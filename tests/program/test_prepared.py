"""Claims about programs that are written ahead."""

import subprocess
import sys

import pytest

from eigendyn.program import preparing
from eigendyn.program.prepared import FILE, decays, key, prepared
from eigendyn.program.preparing import derived
from eigendyn.settings.run_settings import Settings

LOADS = """
import sys
from eigendyn.program.prepared import prepared
from eigendyn.settings.run_settings import Settings
assert prepared(Settings(loss="cosine")).program.closure == "exact quadrature"
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def now():
    """All settings with what the derivation gives for them now, which takes seconds."""
    return list(derived())


@pytest.mark.full
def test_each_is_what_the_derivation_gives_now(now):
    assert len({key(chosen) for chosen, _ in now}) >= 4 * 3 * 2
    assert {decays(chosen) for chosen, _ in now} == {"nothing", "both alike", "some"}
    for chosen, equations in now:
        assert prepared(chosen) == equations


@pytest.mark.full
def test_the_file_is_what_the_script_writes(now, monkeypatch):
    monkeypatch.setattr(preparing, "derived", lambda: now)
    text = FILE.read_text(encoding="utf-8")
    assert text == preparing.prepare(), "run: python -m eigendyn.program.preparing"


def test_automatic_closure_is_the_exact_one():
    exact, automatic = (prepared(Settings(closure=c)) for c in ("exact", "auto"))
    assert exact is automatic is not None


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 0.3},
        {"beta": 0.5},
        {"loss": "a loss of mine"},
        {"predictor": "copy"},
        {"predictor": "learned"},
        {"target": "ema"},
        {"momentum": 0.9},
        {"epsilon": 0.1},
        {"normalize": True},
        {"closure": "sampled"},
    ],
)
def test_other_settings_have_none(settings):
    assert prepared(Settings(**settings)) is None


def test_loading_one_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert not {"sympy", "jax", "numpy", "llvmlite"} & set(done.stdout.split())
