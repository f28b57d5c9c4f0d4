"""Claims about elementary functions on vectors: against mpmath and NumPy, at the edges too."""

import ctypes

import mpmath
import numpy as np
import pytest
from llvmlite import ir

from eigendyn.program.machine import mathematics
from eigendyn.program.machine.builder import I64, Builder, counted, vector
from eigendyn.program.machine.processor import Library

LANES = 8
KINDS = {np.float64: ir.DoubleType(), np.float32: ir.FloatType()}
FUNCTIONS = {
    "exp": mathematics.exponential,
    "log": mathematics.logarithm,
    "cos": mathematics.cosine,
    "sin": mathematics.sine,
    "sign": mathematics.sign,
    "power": mathematics.power,
}


def evaluate(name, dtype, *arguments, lanes=LANES):
    """A function of arrays, by its code for vectors of so many numbers."""
    kind = KINDS[dtype]
    module, pointer = ir.Module(), kind.as_pointer()
    form = ir.FunctionType(ir.VoidType(), [I64, *[pointer] * (len(arguments) + 1)])
    function = ir.Function(module, form, "run")
    at = ir.IRBuilder(function.append_basic_block())
    with counted(at, function.args[0]) as index:
        v, place = Builder(at, kind), at.mul(index, I64(lanes))
        values = [v.load(array, place, width=lanes) for array in function.args[1:-1]]
        v.store(FUNCTIONS[name](v, *values), function.args[-1], place)
    at.ret_void()
    assert vector(kind, 1) is kind
    library = Library(module)
    types = [ctypes.c_int64, *[ctypes.c_void_p] * (len(arguments) + 1)]
    run = library.function("run", None, *types)
    count = len(arguments[0])
    padded = [np.resize(np.asarray(a, dtype), -(-count // lanes) * lanes) for a in arguments]
    out = np.empty_like(padded[0])
    run(len(out) // lanes, *(a.ctypes.data for a in padded), out.ctypes.data)
    return out[:count]


def units(found, expected, dtype):
    """Largest error in units of the last place of the exact result."""
    told = np.array([dtype(float(e)) for e in expected])
    finite = np.isfinite(told)
    np.testing.assert_array_equal(found[~finite], told[~finite])
    unit = np.spacing(np.maximum(np.abs(told[finite]), np.finfo(dtype).smallest_subnormal))
    error = [
        abs(mpmath.mpf(float(f)) - e) / mpmath.mpf(float(u))
        for f, e, u in zip(
            found[finite],
            [e for e, ok in zip(expected, finite, strict=True) if ok],
            unit,
            strict=True,
        )
    ]
    return float(max(error))


def positive(dtype, count):
    """Positive numbers over the whole range, those below the normal ones included."""
    rng = np.random.default_rng(0)
    info = np.finfo(dtype)
    low, high = np.log2(float(info.smallest_subnormal)), np.log2(float(info.max))
    spread = np.exp2(rng.uniform(low, high, count)).astype(dtype)
    near_one = (1 + rng.normal(size=count) * 10.0 ** rng.uniform(-12, -0.5, count)).astype(dtype)
    edges = [info.smallest_subnormal, info.tiny, info.max, 1, 2, 0.5, np.sqrt(0.5), np.sqrt(2)]
    return np.concatenate([spread, np.abs(near_one), np.array(edges, dtype)])


def exact(function, *arguments):
    with mpmath.workdps(40):
        return [function(*(mpmath.mpf(float(a)) for a in each)) for each in zip(*arguments)]  # noqa: B905


@pytest.mark.parametrize("dtype", KINDS)
def test_logarithms_are_within_two_units(dtype):
    x = positive(dtype, 10_000)
    assert units(evaluate("log", dtype, x), exact(mpmath.log, x), dtype) < 2


@pytest.mark.parametrize("dtype", KINDS)
def test_exponentials_are_within_two_units_down_to_nothing(dtype):
    rng = np.random.default_rng(1)
    info = np.finfo(dtype)
    low, high = np.log(float(info.smallest_subnormal)), np.log(float(info.max))
    x = np.concatenate([rng.uniform(low, high, 10_000), rng.normal(size=10_000)]).astype(dtype)
    x = x[x < high]
    assert units(evaluate("exp", dtype, x), exact(mpmath.exp, x), dtype) < 2


@pytest.mark.parametrize("dtype", KINDS)
def test_powers_are_within_two_units(dtype):
    rng = np.random.default_rng(2)
    x = positive(dtype, 5_000)
    exponent = np.concatenate([rng.uniform(-2, 3, len(x) - 4), [0.3, 1, 2, 0.5]]).astype(dtype)
    found, told = evaluate("power", dtype, x, exponent), exact(mpmath.power, x, exponent)
    fits = np.array([abs(mpmath.log(e)) < np.log(float(np.finfo(dtype).max)) for e in told])
    assert fits.sum() > 3000
    told = [e for e, fit in zip(told, fits, strict=True) if fit]
    assert units(found[fits], told, dtype) < 2


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", ["exp", "log"])
def test_a_hundred_thousand_numbers_agree_with_numpy(name, dtype):
    x = positive(dtype, 50_000)
    x = x if name == "log" else np.log(x.astype(float)).astype(dtype)
    with np.errstate(under="ignore", over="ignore"):
        exact = getattr(np, name)(x.astype(np.longdouble))
        expected = exact.astype(dtype)
    found = evaluate(name, dtype, x)
    both = np.isfinite(expected)
    np.testing.assert_array_equal(found[~both], expected[~both])
    errors = np.abs(found - exact)[both] / np.spacing(np.abs(expected[both]))
    assert errors.max() < 2


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", ["cos", "sin"])
def test_circular_functions_are_within_two_units_of_one(name, dtype):
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-10, 10, 5_000), rng.uniform(-1e5, 1e5, 5_000)])
    x = np.concatenate([x, np.pi / 4 * np.arange(-16, 17)]).astype(dtype)
    found = evaluate(name, dtype, x)
    told = np.array([float(e) for e in exact(getattr(mpmath, name), x)])
    assert np.abs(found - told).max() < 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", KINDS)
def test_edges_are_those_of_numpy(dtype):
    inf, nan = np.inf, np.nan
    edges = np.array([0.0, -0.0, inf, -inf, nan, -1.0, 1.0, 1e30, -1e30])
    for name in ("exp", "log", "sign", "cos", "sin"):
        with np.errstate(all="ignore"):
            expected = getattr(np, name)(edges.astype(dtype))
        if name in ("cos", "sin"):
            expected[-2:] = nan  # beyond what they are made for
        np.testing.assert_allclose(evaluate(name, dtype, edges), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", KINDS)
def test_powers_of_edges_are_those_of_numpy(dtype):
    base = np.array([0, 0, 0, np.inf, np.inf, np.inf, np.nan, 1, 5, -2, 2], dtype)
    exponent = np.array([0.3, -0.3, 0, 0.3, -0.3, 0, 0.3, np.nan, 0, 0.3, 1e4], dtype)
    with np.errstate(all="ignore"):
        expected = np.power(base, exponent)
    found = evaluate("power", dtype, base, exponent)
    usual = ~np.isnan(exponent)
    np.testing.assert_array_equal(found[usual], expected[usual])


@pytest.mark.parametrize("name", ["exp", "log", "cos"])
def test_a_number_has_the_same_bits_alone_and_anywhere_in_a_vector(name):
    x = np.random.default_rng(4).uniform(0.01, 9, 64)
    alone = evaluate(name, np.float64, x, lanes=1)
    np.testing.assert_array_equal(evaluate(name, np.float64, x), alone)
    np.testing.assert_array_equal(evaluate(name, np.float64, x[::-1])[::-1], alone)
