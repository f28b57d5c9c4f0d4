"""Claims about the table of states: one row says everything, and all rooms read it."""

import sympy as sp
from numpy.testing import assert_array_equal

import eigendyn
from eigendyn.settings.states import DEGREES, MOVES, STATES
from eigendyn.theory import symbols as sym
from eigendyn.theory.formula import latex, text


def test_every_state_has_a_symbol_that_is_printed_as_its_row_says():
    assert sym.STATES.keys() == STATES.keys()
    for name, state in STATES.items():
        symbol = getattr(sym, name)
        assert symbol is sym.STATES[name] and symbol in sym.PER_MODE
        assert isinstance(symbol, sp.Symbol) and str(symbol) == name
        assert (text(symbol), latex(symbol)) == tuple(f"{sign}_m" for sign in state.symbol)


def test_signs_and_words_name_one_state_each():
    for field in ("symbol", "label", "word"):
        assert len({getattr(state, field) for state in STATES.values()}) == len(STATES)


def test_a_velocity_is_odd_and_scales_as_what_it_moves():
    for velocity, moved in MOVES.items():
        assert STATES[velocity].odd == STATES[moved].odd
        assert DEGREES.get(velocity) == DEGREES.get(moved)
        assert STATES[velocity].signed


def test_results_start_and_are_labelled_as_the_rows_say():
    run = eigendyn.simulate(
        "euclidean",
        [0.2, 1.0],
        predictor="running",
        target="ema",
        momentum=0.9,
        sigma1=0.5,
        steps=1,
    )
    for name in ("singular_value", "target_value", "correlation_value", "velocity"):
        assert run[name].attrs == {"long_name": STATES[name].label, "units": STATES[name].unit}
    assert_array_equal(run.correlation_value[:, 0], [0.25, 1.25])
    assert_array_equal(run.target_value[:, 0], run.singular_value[:, 0])
    assert_array_equal(run.velocity[:, 0], [0, 0])
