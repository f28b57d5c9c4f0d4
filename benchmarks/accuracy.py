"""Measure the accuracies that docs/conventions.md states, and print them as its table.

    python benchmarks/accuracy.py

Every number compares two independent routes. The slow reference of the cosine moments stands in
tests/independent.py.
"""

import platform
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import eigendyn
from eigendyn.results.dataset import kept_quantities
from eigendyn.simulation.equations import equations
from eigendyn.simulation.nodes import fit_nodes

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from independent import cosine_moments

MODES = (2, 3, 5, 10, 20, 50)


@jax.jit
def moments(field, states, parameters):
    """E[z1 δ1] of every mode."""
    return field(0.0, states, parameters)[0] * states[0]


def quadrature(spectra: int = 200) -> Iterator[tuple[str, str]]:
    """Exact cosine closure against a reference with 65,000 nodes."""
    rng = np.random.default_rng(0)
    bare, *_ = eigendyn.vector_field("cosine", [0.5, 1.0], weight_decay=0.0)
    program = equations("cosine", {}).program
    errors, ratios, nodes = [], [], []
    for _ in range(spectra):
        v = 10 ** rng.uniform(-4, 0, size=rng.choice(MODES))
        noises = rng.uniform(0, 1, size=2)
        parameters = {"sigma1": noises[0], "sigma2": noises[1], "weight_decay": 0.0}
        states = jnp.sqrt(jnp.asarray(v))[None]
        fit = fit_nodes(program, np.asarray(states)[None], parameters, 1e-9)
        truth = cosine_moments(v, v, *noises**2)[0]
        field = replace(bare, nodes=fit.nodes)
        errors.append(np.abs(np.asarray(moments(field, states, parameters)) - truth).max())
        ratios.append(fit.error / max(errors[-1], 1e-16))
        nodes.append(len(fit.nodes.weights))
    yield f"exact cosine moments, {spectra} random spectra: largest error", f"{max(errors):.1e}"
    yield "the same, its estimate over the true error: smallest", f"{min(ratios):.2g}"
    yield "the same, nodes: median", f"{np.median(nodes):.0f}"


def engines() -> Iterator[tuple[str, str]]:
    """Flow against closed form, and against its own conserved quantities."""
    wide = np.geomspace(1e-6, 1e3, 19)
    worst = 0.0
    for loss in ("euclidean", "iso-euclidean"):
        flow, closed = (
            eigendyn.simulate(loss, wide, method=m).variance for m in ("flow", "closed-form")
        )
        worst = max(worst, float(np.abs(flow / closed - 1).max()))
    yield "flow against closed form, v₀ from 1e-6 to 1e3: largest relative error", f"{worst:.1e}"
    drift = max(
        max(
            kept.attrs["relative_drift"]
            for kept in kept_quantities(eigendyn.simulate(loss, method="flow")).values()
        )
        for loss in ("cosine", "iso-cosine")
    )
    yield "conserved quantities over the published 1,500 steps: largest drift", f"{drift:.1e}"
    rates, gaps = np.array([0.08, 0.04, 0.02, 0.01]), []
    end = eigendyn.simulate("cosine", method="flow", learning_rate=0.01, steps=400, saves=2)
    for rate in rates:
        options = {"learning_rate": rate, "steps": round(4 / rate), "saves": 2}
        steps = eigendyn.simulate("cosine", method="steps", **options)
        gaps.append(np.abs(steps.variance[:, -1] - end.variance[:, -1]).max())
    slope = np.polyfit(np.log(rates), np.log(gaps), 1)[0]
    yield "descent steps against flow: order in the learning rate", f"{slope:.3f}"


def main() -> None:
    """Print the table, and what it was measured with."""
    print("| what | measured |\n|---|---|")
    for part in (quadrature, engines):
        for what, measured in part():
            print(f"| {what} | {measured} |", flush=True)
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "diffrax", "sympy"))
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {versions}.")


if __name__ == "__main__":
    main()
