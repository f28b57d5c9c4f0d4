"""Write right-hand sides by hand as programs: systems with known solutions."""

from eigendyn.program import Operation, Program


class Writing:
    """Operations in order; each call returns the place of the one that it adds."""

    def __init__(self):
        self.operations = []

    def __call__(self, kind, *operands, value=0.0):
        self.operations.append(Operation(kind, operands, value))
        return len(self.operations) - 1

    def number(self, value):
        return self("number", value=float(value))

    def product(self, first, *others):
        for other in others:
            first = self("multiply", first, other)
        return first

    def difference(self, a, b):
        return self("add", a, self("multiply", self.number(-1), b))

    def program(self, states, parameters, rates):
        operations = tuple(self.operations)
        return Program(states, parameters, (), (), "none", operations, rates, rates[0])


def power_growth(exponent):
    """dx/dt = k x^exponent."""
    w = Writing()
    x, k = w("state", value=0), w("parameter", value=0)
    return w.program(("x",), ("k",), (w.product(k, *[x] * exponent),))


def oscillator():
    """dx/dt = k y, dy/dt = −k x."""
    w = Writing()
    x, y, k = w("state", value=0), w("state", value=1), w("parameter", value=0)
    rates = (w.product(k, y), w.product(w.number(-1), k, x))
    return w.program(("x", "y"), ("k",), rates)


def falling():
    """dx/dt = k/(1 + t)²: the time itself enters."""
    w = Writing()
    k, t = w("parameter", value=0), w("time")
    later = w("reciprocal", w("add", w.number(1), t))
    zero = w.product(w.number(0), w("state", value=0))
    return w.program(("x",), ("k",), (w("add", zero, w.product(k, later, later)),))


def euclidean():
    """dλ/dt = 2 λ² (1 − λ) in every mode."""
    w = Writing()
    x = w("state", value=0)
    rate = w.product(w.number(2), x, x, w.difference(w.number(1), x))
    return w.program(("x",), (), (rate,))


def cosine():
    """dλ_m/dt = 2 λ_m² (Σλ³ − λ_m Σλ²)/((Σλ³)^{3/2} (Σλ)^{1/2}): mean field, α = 1, σ = 0."""
    w = Writing()
    x = w("state", value=0)
    square = w.product(x, x)
    cubes, total, squares = w("sum", w.product(square, x)), w("sum", x), w("sum", square)
    norm = w.product(cubes, w("sqrt", w.product(cubes, total)))
    factor = w.product(w.number(2), w("reciprocal", norm), square)
    rate = w.product(factor, w.difference(cubes, w.product(x, squares)))
    return w.program(("x",), (), (rate,))
