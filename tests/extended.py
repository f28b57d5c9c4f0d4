"""Integrate scalar growth by sums of powers a second time, without tables.

Nothing here comes from eigendyn. x = log v obeys dx/dt = Σ c_i e^{r_i x}; the Taylor series of x
and of p_i = c_i e^{r_i x} follow from each other, p_i' = r_i x' p_i. Each start has its own step.
"""

import numpy as np

ORDER = 22
LONG = np.longdouble


def follow(exponents, coefficients, starts, times, tolerance=1e-17, most_steps=40_000):
    """Singular values (starts, times) from starts (starts,) at times[0] = 0; NaN if not reached.

    Exponents and coefficients are (starts, terms), or (terms,).
    """
    shape = (len(starts), np.shape(exponents)[-1])
    r = np.broadcast_to(np.asarray(exponents, LONG), shape).copy()
    c = np.broadcast_to(np.asarray(coefficients, LONG), shape).copy()
    x = 2 * np.log(np.asarray(starts, LONG))
    t = np.zeros(len(starts), LONG)
    ends = np.asarray(times, LONG)
    found = np.full((len(starts), len(times)), np.nan, LONG)
    alive = np.arange(len(starts))
    for _ in range(most_steps):
        if not len(alive):
            break
        series = _series(r[alive], c[alive], x[alive])
        size = np.maximum(np.abs(series[-1]), LONG(10) ** -4000) / tolerance
        step = np.minimum(0.9 * size ** (LONG(-1) / ORDER), ends[-1] - t[alive])
        inside = (ends >= t[alive, None]) & (ends <= (t[alive] + step)[:, None])
        row, column = np.nonzero(inside)
        value = _polynomial(series[:, row], ends[column] - t[alive][row])
        found[alive[row], column] = np.exp(value / 2)
        x[alive] = _polynomial(series, step)
        t[alive] += step
        alive = alive[(t[alive] < ends[-1]) & (x[alive] < 600) & (step > 1e-30)]
    return found


def _series(r, c, x):
    with np.errstate(over="ignore", under="ignore"):
        p = [c * np.exp(r * x[:, None])]
    xs = [x]
    for n in range(ORDER):
        xs.append(p[n].sum(axis=1) / (n + 1))
        p.append(r * sum((j + 1) * xs[j + 1][:, None] * p[n - j] for j in range(n + 1)) / (n + 1))
    return np.array(xs)


def _polynomial(series, h):
    value = series[-1]
    for one in series[-2::-1]:
        value = value * h + one
    return value
