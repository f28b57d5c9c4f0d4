"""Every page of derivations/ runs, prints its equations, and can fail."""

import importlib
import runpy
import sys
from pathlib import Path

import pytest
import sympy as sp

FOLDER = Path(__file__).parent.parent / "derivations"
PAGES = sorted({path.stem for path in FOLDER.glob("*.py")} - {"__init__", "page"})


def hand_forms(page):
    return sorted(name for name in vars(page) if name.startswith("hand_"))


def claims_fail(page):
    try:
        for claim in page.CLAIMS:
            claim()
    except AssertionError:
        return True
    return False


LONG = {"recruitment", "rates", "designed_losses"}  # with wrong forms they run below
# What they derive: analysis/rates/test_component_limits.py, simulation/test_learned_predictor.py
ELSEWHERE = {"components", "learned_predictor"}
MANY_FORMS = {  # their claims are checked above, and that wrong forms are caught by other pages
    *("learned_predictor", "closed_forms", "running_correlation", "components"),
    *("no_stop_gradient", "bifurcations", "conservation"),
    *LONG,
}


def pages(of_full):
    """Names of all pages, some of which only the full tests run."""
    return [pytest.param(n, marks=pytest.mark.full if n in of_full else ()) for n in PAGES]


@pytest.mark.parametrize("name", pages(LONG | ELSEWHERE))
def test_page_runs_and_prints_latex(name, monkeypatch, capsys):
    module = f"derivations.{name}"
    monkeypatch.delitem(sys.modules, module, raising=False)  # runpy warns of imported modules
    page = runpy.run_module(module, run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.startswith(f"% {page['__doc__'].splitlines()[0]}")
    assert printed.count("\\[ ") == printed.count(" \\] % ") >= len(page["CLAIMS"])
    assert printed.count("{") == printed.count("}")
    assert "ModeSum" not in printed


@pytest.mark.parametrize("name", pages(MANY_FORMS))
def test_a_wrong_hand_form_is_caught(name, monkeypatch):
    page = importlib.import_module(f"derivations.{name}")
    assert hand_forms(page)
    for wrong in hand_forms(page):
        right = getattr(page, wrong)
        with monkeypatch.context() as planted:
            planted.setattr(page, wrong, lambda right=right: right() * sp.Rational(101, 100))
            assert claims_fail(page), f"{name} does not notice that {wrong} is 1 % off"
