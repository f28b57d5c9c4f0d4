"""Time data of one's own: measuring it, following modes along it, and numbers per mode.

    python benchmarks/data.py

prints the tables, and writes benchmarks/data.md. The peer of a measurement is NumPy's covariance
and symmetric eigensolver on the same inputs, without augmentations; that of an ensemble whose modes
have a signal and noises of their own is the same ensemble with white inputs, for which the same
code is written from a program without them. Both are timed in turns, and the fastest round counts.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from machine import described, fastest
from sklearn.datasets import load_digits

import eigendyn

ROUNDS = 5
AUGMENT = "shift:1,noise:0.05"
MODES = 10
WHITE = {"sigma1": 0.3, "sigma2": 0.4}
EQUAL = {"signal": [1.0] * MODES, "noise1": [0.09] * MODES, "noise2": [0.16] * MODES}
OWN = {
    "signal": np.linspace(0.5, 2, MODES),
    "noise1": np.linspace(0.05, 0.5, MODES),
    "noise2": np.linspace(0.3, 0.1, MODES),
}
ENSEMBLES = {"euclidean": 100_000, "iso-euclidean": 100_000, "cosine": 5_000}


def inputs() -> Iterator[tuple[str, np.ndarray]]:
    """Digits, and smooth random images of the size of MNIST's."""
    yield "digits, 1,797 × 8 × 8", load_digits().images
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(784, 784)))[0] * np.arange(1, 785) ** -0.7
    yield "random, 10,000 × 28 × 28", (rng.normal(size=(10_000, 784)) @ basis).reshape(-1, 28, 28)


def measured() -> Iterator[str]:
    """Rows of a measurement and of a run along its components."""
    yield "| inputs | measured, s | NumPy: covariance, eigh, s | ratio | cosine, 10 modes, s |"
    yield "|---|---|---|---|---|"
    for name, images in inputs():
        flat = images.reshape(len(images), -1)
        found = eigendyn.data.from_inputs(images, AUGMENT)
        start = eigendyn.data.start(found, MODES)
        ours, theirs, run = fastest(
            [
                lambda images=images: eigendyn.data.from_inputs(images, AUGMENT),
                lambda flat=flat: np.linalg.eigh(np.cov(flat.T)),
                lambda start=start: eigendyn.simulate("cosine", **start),
            ],
            rounds=2,
        )
        yield f"| {name} | {ours:.2f} | {theirs:.3f} | {ours / theirs:.0f} | {run:.3f} |"


def ensembles() -> Iterator[str]:
    """Rows of ensembles with white inputs, with the same as numbers per mode, and with others."""
    yield "| loss | trajectories | white, s | the same per mode, s | ratio | own numbers, s |"
    yield "|---|---|---|---|---|---|"
    rng = np.random.default_rng(0)
    for loss, count in ENSEMBLES.items():
        table = rng.uniform(0.05, 1.0, (count, MODES))

        def follow(settings: dict, loss: str = loss, table: np.ndarray = table) -> object:
            options = {"keep": "final", "times": [30.0], "threads": 1, "engine": "compiled"}
            return eigendyn.ensemble(loss, table, rtol=1e-6, atol=1e-9, **options, **settings)

        white, equal, own = fastest(
            [lambda s=s, follow=follow: follow(s) for s in (WHITE, EQUAL, OWN)], ROUNDS
        )
        yield (
            f"| {loss} | {count:,} | {white:.2f} | {equal:.2f} | {equal / white:.2f} | {own:.2f} |"
        )


def main() -> None:
    """Measure everything, print it, and write it down."""
    lines = ["# Data of one's own", "", "Seconds of processor time, the least of some rounds.", ""]
    lines += [*measured(), ""]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines += [f"At most {memory:.1f} GiB of memory, packages included.", "", *ensembles(), ""]
    lines.append(described(("numpy", "scipy", "xarray", "llvmlite", "scikit-learn")))
    text = "\n".join(lines) + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
