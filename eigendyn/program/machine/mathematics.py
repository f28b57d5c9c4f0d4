r"""Write elementary functions as arithmetic on vectors, which LLVM spreads over lanes.

exp: x = n ln 2 + r with |r| ≤ ln 2/2, a polynomial in r, and 2^n in two factors, so that results
below the normal numbers are rounded only once more. log: x = 2^k m with m in [√½, √2), and
log m = f − f²/2 + s (f²/2 + R(s²)) for f = m − 1, s = f/(2 + f). x^a = exp(a log x) with the
logarithm and its product in two parts. sin and cos: x = n π/2 + r by three parts of π/2.

exp, log and x^a (x ≥ 0) are within 2 units in the last place, at zero, infinity and below the
normal numbers too; sin and cos are within 2 of those of one for |x| ≤ 10⁵.

Source: the logarithm's polynomial is that of Sun's fdlibm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from llvmlite import ir

from eigendyn.program.machine.builder import I32, I64, Builder, bits_of, vector, width_of

FARTHEST = 2.0**17  # argument of sin and cos


@dataclass(frozen=True)
class _Format:
    """What a kind of floating-point numbers needs."""

    integer: ir.IntType
    fraction: int  # bits of the significand that are stored
    bias: int  # of the exponent
    logarithm_2: tuple[float, float]  # ln 2 in two parts
    half_turn: tuple[float, float, float]  # π/2 in three parts
    range: tuple[float, float]  # where exp is not surely zero or infinite
    exponential: tuple[float, ...]  # (e^r − 1 − r)/r²
    logarithm: tuple[float, ...]  # R(z)/z
    sine: tuple[float, ...]  # (sin r − r)/r³ in r²
    cosine: tuple[float, ...]  # (cos r − 1)/r² in r²
    root_half: int  # √½ as its bits


def _factorials(first: int, count: int, step: int = 1, sign: int = 1) -> tuple[float, ...]:
    return tuple(sign**i / math.factorial(first + step * i) for i in range(count))


_DOUBLE = _Format(
    integer=I64,
    fraction=52,
    bias=1023,
    logarithm_2=(float.fromhex("0x1.62e42fefa39efp-1"), float.fromhex("0x1.abc9e3b39803fp-56")),
    half_turn=(
        float.fromhex("0x1.921fb54442d18p+0"),
        float.fromhex("0x1.1a62633145c07p-54"),
        float.fromhex("-0x1.f1976b7ed8fbcp-110"),
    ),
    range=(-746.0, 710.0),
    exponential=_factorials(2, 12),
    logarithm=(
        *(6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01),
        *(2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01),
        1.479819860511658591e-01,
    ),
    sine=tuple(-c for c in _factorials(3, 7, 2, -1)),
    cosine=tuple(-c for c in _factorials(2, 8, 2, -1)),
    root_half=0x3FE6A09E667F3BCD,
)
_SINGLE = _Format(
    integer=I32,
    fraction=23,
    bias=127,
    logarithm_2=(float.fromhex("0x1.62e430p-1"), float.fromhex("-0x1.05c610p-29")),
    half_turn=(
        float.fromhex("0x1.921fb6p+0"),
        float.fromhex("-0x1.777a5cp-25"),
        float.fromhex("-0x1.ee59dap-50"),
    ),
    range=(-104.0, 89.0),
    exponential=_factorials(2, 7),
    logarithm=(0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    sine=tuple(-c for c in _factorials(3, 4, 2, -1)),
    cosine=tuple(-c for c in _factorials(2, 5, 2, -1)),
    root_half=0x3F3504F3,
)


def exponential(v: Builder, x: Any, more: Any = None) -> Any:
    """e^(x + more), with |more| at most a unit in the last place of x."""
    form = _format(v)
    lowest, highest = (v.number(bound, width_of(x)) for bound in form.range)
    x = v.at.select(v.at.fcmp_ordered("<", x, lowest), lowest, x)
    x = v.at.select(v.at.fcmp_ordered(">", x, highest), highest, x)
    n, whole = _nearest(v, v.at.fmul(x, v.number(1 / math.log(2), width_of(x))))
    minus = v.at.fneg(n)
    r = x
    for part in form.logarithm_2:
        r = v.fma(minus, v.number(part, width_of(x)), r)
    if more is not None:
        r = v.at.fadd(r, more)
    square = v.at.fmul(r, r)
    value = v.fma(square, v.polynomial(r, form.exponential), r)
    value = v.at.fadd(value, v.number(1.0, width_of(x)))
    # in two factors: 2^n itself is no normal number at the ends of the range
    half = v.at.ashr(whole, _whole(v, 1, x))
    for share in (half, v.at.sub(whole, half)):
        value = v.at.fmul(value, _power_of_two(v, share, x))
    return value


def logarithm(v: Builder, x: Any) -> Any:
    """Ln x; −∞ at zero and not a number below."""
    return _logarithm(v, x)[0]


def power(v: Builder, x: Any, exponent: Any) -> Any:
    """x^exponent for x ≥ 0; one where the exponent is zero, and not a number for x < 0."""
    x, exponent = v.alike(x, exponent)
    # what one float leaves out of a log x is an error of the result, relative to it
    high, low = _logarithm(v, x)
    product = v.at.fmul(exponent, high)
    rest = v.fma(exponent, low, v.fma(exponent, high, v.at.fneg(product)))
    finite = v.at.fcmp_ordered("<", v.call("fabs", product), v.number(math.inf, width_of(x)))
    rest = v.at.select(finite, rest, v.number(0.0, width_of(x)))
    value = exponential(v, product, rest)
    is_zero = v.at.fcmp_ordered("==", exponent, v.number(0.0, width_of(x)))
    return v.at.select(is_zero, v.number(1.0, width_of(x)), value)


def cosine(v: Builder, x: Any) -> Any:
    """Cos x."""
    return _circular(v, x, 1)


def sine(v: Builder, x: Any) -> Any:
    """Sin x."""
    return _circular(v, x, 0)


def sign(v: Builder, x: Any) -> Any:
    """−1, 0 or 1."""
    has_sign = v.at.fcmp_ordered("!=", x, v.number(0.0, width_of(x)))
    return v.at.select(has_sign, v.call("copysign", v.number(1.0, width_of(x)), x), x)


def _logarithm(v: Builder, x: Any) -> tuple[Any, Any]:
    """Ln x, and what is missing from it."""
    form = _format(v)

    def number(value: float) -> ir.Constant:
        return v.number(value, width_of(x))

    # numbers below the normal ones have no exponent in their bits until they are scaled up
    tiny = v.at.fcmp_ordered("<", x, number(2.0 ** (1 - form.bias)))
    shift = form.fraction + 2
    scaled = v.at.select(tiny, v.at.fmul(x, number(2.0**shift)), x)
    bits = v.at.bitcast(scaled, vector(form.integer, width_of(x)))
    from_root = v.at.sub(bits, _whole(v, form.root_half, x))
    exponent = v.at.ashr(from_root, _whole(v, form.fraction, x))
    mantissa = v.at.sub(bits, v.at.shl(exponent, _whole(v, form.fraction, x)))
    f = v.at.fsub(v.at.bitcast(mantissa, x.type), number(1.0))
    exponent = v.at.sub(exponent, v.at.select(tiny, _whole(v, shift, x), _whole(v, 0, x)))
    k = _as_number(v, exponent, x)
    s = v.at.fdiv(f, v.at.fadd(f, number(2.0)))
    z = v.at.fmul(s, s)
    half_square = v.at.fmul(v.at.fmul(f, f), number(0.5))
    rest = v.fma(z, v.polynomial(z, form.logarithm), half_square)
    rest = v.at.fsub(v.at.fmul(s, rest), half_square)
    high, low = (number(part) for part in form.logarithm_2)
    product = v.at.fmul(k, high)
    lost = v.fma(k, low, v.fma(k, high, v.at.fneg(product)))
    first, missing = _two_sum(v, product, f)
    rest = v.at.fadd(rest, v.at.fadd(lost, missing))
    first, rest = _two_sum(v, first, rest)
    plain = v.at.and_(
        v.at.fcmp_ordered(">", x, number(0.0)), v.at.fcmp_ordered("<", x, number(math.inf))
    )
    beyond = v.at.select(v.at.fcmp_ordered("==", x, number(0.0)), number(-math.inf), x)
    negative = v.at.fcmp_ordered("<", x, number(0.0))
    beyond = v.at.select(negative, number(math.nan), beyond)
    return v.at.select(plain, first, beyond), v.at.select(plain, rest, number(0.0))


def _circular(v: Builder, x: Any, quarters: int) -> Any:
    """sin(x + quarters · π/2)."""
    form = _format(v)
    n, whole = _nearest(v, v.at.fmul(x, v.number(2 / math.pi, width_of(x))))
    minus = v.at.fneg(n)
    r = x
    for part in form.half_turn:
        r = v.fma(minus, v.number(part, width_of(x)), r)
    square = v.at.fmul(r, r)
    cube = v.at.fmul(square, r)
    of_sine = v.fma(cube, v.polynomial(square, form.sine), r)
    one = v.number(1.0, width_of(x))
    of_cosine = v.fma(square, v.polynomial(square, form.cosine), one)
    quadrant = v.at.add(whole, _whole(v, quarters, x))
    zero = _whole(v, 0, x)
    odd = v.at.icmp_signed("!=", v.at.and_(quadrant, _whole(v, 1, x)), zero)
    lower = v.at.icmp_signed("!=", v.at.and_(quadrant, _whole(v, 2, x)), zero)
    value = v.at.select(odd, of_cosine, of_sine)
    value = v.at.select(lower, v.at.fneg(value), value)
    near = v.at.fcmp_ordered("<", v.call("fabs", x), v.number(FARTHEST, width_of(x)))
    return v.at.select(near, value, v.number(math.nan, width_of(x)))


def _format(v: Builder) -> _Format:
    return _DOUBLE if bits_of(v.kind) == 64 else _SINGLE


def _two_sum(v: Builder, first: Any, second: Any) -> tuple[Any, Any]:
    """A sum, and what rounding took from it, whichever is larger."""
    total = v.at.fadd(first, second)
    back = v.at.fsub(total, first)
    lost = v.at.fsub(first, v.at.fsub(total, back))
    return total, v.at.fadd(lost, v.at.fsub(second, back))


def _whole(v: Builder, value: int, like: Any) -> ir.Constant:
    width = width_of(like)
    kind = vector(_format(v).integer, width)
    return ir.Constant(kind, [value] * width if width > 1 else value)


def _shifter(v: Builder) -> float:
    """A number so large that what is added to it is rounded to a whole number."""
    return 1.5 * 2.0 ** _format(v).fraction


def _nearest(v: Builder, x: Any) -> tuple[Any, Any]:
    """The nearest whole number, as a number and as an integer."""
    shifter = v.number(_shifter(v), width_of(x))
    shifted = v.at.fadd(x, shifter)
    kind = vector(_format(v).integer, width_of(x))
    whole = v.at.sub(v.at.bitcast(shifted, kind), v.at.bitcast(shifter, kind))
    return v.at.fsub(shifted, shifter), whole


def _as_number(v: Builder, whole: Any, like: Any) -> Any:
    shifter = v.number(_shifter(v), width_of(like))
    bits = v.at.add(whole, v.at.bitcast(shifter, whole.type))
    return v.at.fsub(v.at.bitcast(bits, like.type), shifter)


def _power_of_two(v: Builder, exponent: Any, like: Any) -> Any:
    form = _format(v)
    biased = v.at.add(exponent, _whole(v, form.bias, like))
    return v.at.bitcast(v.at.shl(biased, _whole(v, form.fraction, like)), like.type)


FUNCTIONS: Mapping[str, Callable[[Builder, Any], Any]] = MappingProxyType(
    {
        "reciprocal": Builder.reciprocal,
        "sqrt": Builder.sqrt,
        "abs": Builder.size_of,
        "exp": exponential,
        "log": logarithm,
        "sign": sign,
        "cos": cosine,
        "sin": sine,
    }
)
