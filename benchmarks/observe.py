"""Time the log of a spectrum against the bare products of the batches that it is given.

    python benchmarks/observe.py

prints the tables, and writes benchmarks/observe.md. The peer is the least that anybody computes:
z1ᵀz1, z2ᵀz2 and z1ᵀz2 of the same batches by NumPy in float64. Both take turns, in processor time,
and the fastest round counts.
"""

import os
import tempfile
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np
from machine import described, fastest

import eigendyn
from eigendyn.recording.kept import write
from eigendyn.recording.moments import Window

ROUNDS, EVERY = 5, 100
SHAPES = ((256, 512), (256, 128), (1024, 64))
LONG = 300  # recordings of a long run


def batches(samples: int, dims: int, count: int) -> list:
    """Pairs of views whose variances span three decades, in float32 as networks make them."""
    rng = np.random.default_rng(0)
    scales = np.geomspace(1, 1e-3, dims) ** 0.5
    pairs = []
    for _ in range(count):
        x = rng.normal(size=(samples, dims)) * scales
        noise = 0.2 * rng.normal(size=(2, samples, dims)) * scales
        pairs.append([(1 + x + one).astype(np.float32) for one in noise])
    return pairs


def products(pairs: list) -> None:
    """The peer."""
    for z1, z2 in pairs:
        x, y = z1.astype(np.float64), z2.astype(np.float64)
        _ = x.T @ x, y.T @ y, x.T @ y


def logged(pairs: list, folder: str, steps: int) -> None:
    """A log that is called at every step, of `steps` steps after its first recording."""
    path = Path(folder) / "run.nc"
    log = eigendyn.SpectrumLog(path, every=EVERY, force=True)
    predictor = np.eye(pairs[0][0].shape[1])
    log._clock.recorded = 0.0  # as in the midst of a run
    for step in range(1, steps + 1):
        log.observe(*pairs[step % len(pairs)], predictor=predictor, step=step, learning_rate=0.1)
    assert log.recordings == steps // EVERY


def added(pairs: list) -> None:
    """What a batch in the window costs, the recording itself apart."""
    window = Window(*(view.astype(np.float64) for view in pairs[0]))
    for z1, z2 in pairs:
        window.add(z1.astype(np.float64), z2.astype(np.float64))


def row(samples: int, dims: int) -> str:
    """Time one size of batches."""
    inside = min(-(-max(1024, 10 * dims) // samples), EVERY)
    pairs = batches(samples, dims, inside)
    with tempfile.TemporaryDirectory() as folder:
        bare, ours, whole = fastest(
            [
                lambda: products(pairs),
                lambda: added(pairs),
                lambda: logged(pairs, folder, EVERY),
            ],
            ROUNDS,
        )
    each = bare / inside
    return (
        f"| {samples} × {dims} | {inside} | {1e3 * each:.2f} | {ours / bare:.2f} "
        f"| {(whole - ours) / each:.1f} | {whole / bare:.2f} | {whole / (EVERY * each):.2f} |"
    )


def long_run() -> str:
    """A long run of many modes: what its file costs, which is written anew at each recording."""
    pairs = batches(256, 512, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.nc"
        log = eigendyn.SpectrumLog(path, every=1, force=True)
        for step in range(LONG):
            log.observe(*pairs[0], predictor=np.eye(512), step=step, learning_rate=0.1)

        def label() -> None:
            log._shown = None
            _ = log.record

        seconds = fastest([label, lambda: write(log.record, path, force=True)], ROUNDS)
        size = path.stat().st_size / 2**20
    return (
        f"After {LONG} recordings of 512 modes the file has {size:.0f} MiB; to label all of it "
        f"takes {1e3 * seconds[0]:.0f} ms, and to write it {1e3 * seconds[1]:.0f} ms."
    )


def main() -> None:
    """Print the table and write it."""
    lines = [
        "# What it costs to log a spectrum",
        "",
        "The bare products are z1ᵀz1, z2ᵀz2 and z1ᵀz2 of a batch, by NumPy in float64. A batch in",
        "the window of a recording is shifted and added to three products of a matrix with itself.",
        "A recording is eigenvectors, modes that are followed, all ranks, and the file; it takes",
        "about as long as three decompositions of a covariance, whatever the batches. A log is",
        f"called at every one of the {EVERY} steps between two recordings; all that it takes is",
        "divided by products: of the batches in its window, and of all batches it was given.",
        "BLAS has one thread, as processor time counts threads that wait.",
        "",
        "| batch | batches in the window | bare products, ms | a batch in the window, over them "
        "| a recording, over those of a batch | log over products in the window "
        "| log over products of all batches |",
        "|---|---|---|---|---|---|---|",
        *[row(*shape) for shape in SHAPES],
        "",
        long_run(),
        "",
        described(("numpy", "scipy", "xarray", "h5netcdf")),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    (Path(__file__).parent / "observe.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
