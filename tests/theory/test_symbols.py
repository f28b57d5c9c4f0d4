"""Claims about the alphabet: sums over modes and the stop-gradient."""

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.symbols import ModeSum, lam, norm, stop_gradient, z1, z2


def test_the_derivative_of_a_sum_is_this_modes_term():
    assert ModeSum(lam * z1**2).diff(z1) == 2 * lam * z1


def test_a_stopped_branch_is_constant_and_then_its_state():
    expression = ModeSum(z1 * stop_gradient(z1 * z2))
    assert expression.diff(z1) == stop_gradient(z1 * z2)
    assert sym.release(expression.diff(z1)) == z1 * z2


def test_stopping_twice_is_stopping_once():
    assert stop_gradient(stop_gradient(z1)) == stop_gradient(z1)


def test_the_chain_rule_reaches_through_nested_sums():
    """d/dz1_m of Σ_k (z1_k S)² with S = Σ_l z1_l z2_l: this mode's term, and S everywhere."""
    inner = ModeSum(z1 * z2)
    nested = ModeSum((z1 * inner) ** 2)
    by_hand = 2 * z1 * inner**2 + 2 * inner * z2 * ModeSum(z1**2)
    assert sym.equal(nested.diff(z1), by_hand)


def test_common_factors_leave_a_sum():
    inner = ModeSum(z2**2)
    assert sym.canonical(ModeSum(3 * sym.alpha * z1 * inner)) == 3 * sym.alpha * inner * ModeSum(z1)


def test_a_sum_is_not_local_but_what_it_multiplies_is():
    assert not sym.is_local(norm(z1) * sym.alpha)
    assert sym.is_local(norm(z1) * lam)


def test_equal_expressions_are_recognised_and_others_are_not():
    square = ModeSum((z1 - z2) ** 2)
    expanded = ModeSum(z1**2) - 2 * ModeSum(z1 * z2) + ModeSum(z2**2)
    assert sym.equal(square, expanded)
    assert not sym.equal(square, expanded + sp.Rational(1, 10**9) * ModeSum(z1))


def test_detaching_keeps_clear_of_names_in_use():
    taken = sym.placeholder(0)
    local, parts = sym.detach(taken + ModeSum(z1), ModeSum)
    assert set(parts) == {sym.placeholder(1)}
    assert local.xreplace(parts) == taken + ModeSum(z1)
