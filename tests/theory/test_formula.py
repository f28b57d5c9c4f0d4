"""Claims about the printed derivation."""

import re

import pytest

from eigendyn.settings.siamese import Architecture
from eigendyn.theory import symbols as sym
from eigendyn.theory.formula import derivation, latex, text
from eigendyn.theory.losses import LOSSES, named_loss
from eigendyn.theory.symbols import ModeSum, StopGradient, lam, z1, z2


def test_sums_and_stop_gradients_are_written_with_indices():
    loss = ModeSum((lam * z1 - StopGradient(z2)) ** 2) * z1
    assert text(loss) == "z1_m*Σ_k[(λ_k*z1_k - SG(z2_k))^2]"
    assert r"\sum_k" in latex(loss)
    assert r"\mathrm{SG}" in latex(loss)


def test_a_sum_within_a_sum_has_its_own_index():
    assert text(ModeSum(z1 * ModeSum(z2))) == "Σ_k[z1_k*Σ_l[z2_l]]"


def test_a_sum_before_another_factor_is_bracketed_in_latex():
    written = latex(ModeSum(z1**2) * ModeSum(z2**2))
    assert written.count(r"\left(\sum_k") == 1


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("closure", ["exact", "mean-field", "sampled"])
def test_every_derivation_defines_what_it_uses(name, closure):
    equations = derivation(named_loss(name), closure=closure)
    defined = {equation.left[0] for equation in equations}
    closed = next(e for e in equations if e.name.startswith("dynamics, "))
    for symbol in closed.right.free_symbols & {sym.u11, sym.u12, sym.u22, sym.x1, sym.x2}:
        assert text(symbol) in defined
    for equation in equations:
        assert equation.latex.count("{") == equation.latex.count("}")
        assert equation.latex.count(r"\left") == equation.latex.count(r"\right")


def test_the_euclidean_theorem_stands_on_a_line():
    lines = [equation.text for equation in derivation(named_loss("euclidean"), alpha=1)]
    assert "dv_m/dt = -2*σ1^2*v_m^3 - 2*v_m^3 + 2*v_m^2 - 2*v_m*ω" in lines


@pytest.mark.parametrize("loss", ["euclidean", "cosine"])
def test_numbers_of_a_mode_have_one_subscript_and_their_own_letter(loss):
    """TeX refuses a_1_m; and every number of a mode has its index, in text too."""
    own = Architecture(is_anisotropic=True, correlation="first-view")
    lines = derivation(loss, architecture=own)
    for line in lines:
        assert not re.search(r"_\w_|_\{[^{}]*\}_", line.latex), line.latex
        assert not re.search(r"\b[mn](11|12|22)\b|determinant", line.text), line.text
    assert any("a_{1,m}" in line.latex for line in lines)
    defined = [line.left[0] for line in lines if line.name == "where"]
    assert len(set(defined)) == len(defined)
