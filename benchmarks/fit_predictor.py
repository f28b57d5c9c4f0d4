"""Measure what the noise of an estimated predictor does to a fit.

    python -m benchmarks.fit_predictor

A linear network of 6 modes is trained by descent under the Euclidean loss, on batches of 256 and
without decay. Its predictor is E[z1 z1ᵀ] of the population, of another batch, or of the same one;
A = 1, ω = 0 and α = 1 are what a fit should find.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import eigendyn
from benchmarks.machine import described

BATCH, INPUTS, MODES = 256, 8, 6
NOISE, RATE, STEPS, EVERY = 0.3, 0.1, 800, 20
SEEDS = 2


def recorded(kind, seed, path):
    """Train a network with a predictor of this kind, and record its spectrum."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(MODES, INPUTS)) / 4
    log = eigendyn.SpectrumLog(path, every=EVERY)
    for step in range(STEPS + 1):
        x = rng.normal(size=(BATCH, INPUTS))
        x1, x2 = (x + NOISE * rng.normal(size=x.shape) for _ in range(2))
        z1, z2 = x1 @ weights.T, x2 @ weights.T
        if kind == "population":
            predictor = weights @ weights.T * (1 + NOISE**2)
        else:
            z = z1
            if kind == "another batch":
                z = np.hypot(1, NOISE) * rng.normal(size=x.shape) @ weights.T
            predictor = z.T @ z / BATCH
        log.observe(z1, z2, predictor, step, learning_rate=RATE)
        weights = weights - RATE * ((z1 @ predictor - z2) @ predictor).T @ x1 / BATCH
    return eigendyn.load(path)


def main():
    """Print the table."""
    print("| predictor of | seed | A | ω | α |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("population", "another batch", "the same batch"):
            for seed in range(SEEDS):
                record = recorded(kind, seed, Path(folder) / f"{kind} {seed}.nc")
                found = eigendyn.fit(record, "euclidean").isel(loss=0)
                cells = []
                for name in ("time_scale", "weight_decay", "alpha"):
                    row = found.sel(number=name)
                    value, low, high = (float(row[key]) for key in ("value", "lower", "upper"))
                    cells.append(f"{value:.3f} [{low:.3f}, {high:.3f}]")
                print(f"| {kind} | {seed} | " + " | ".join(cells) + " |", flush=True)
    print(f"\n{described(('numpy', 'jax'))}")


if __name__ == "__main__":
    main()
