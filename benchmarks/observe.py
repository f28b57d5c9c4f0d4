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


def logged(pairs: list, folder: str, samples: int | None = None) -> None:
    """A log that is called at every step from one recording to the next."""
    path = Path(folder) / "run.nc"
    log = eigendyn.SpectrumLog(path, every=EVERY, samples=samples, force=True)
    predictor = np.eye(pairs[0][0].shape[1])
    begun = 100 * EVERY  # as in the midst of a run
    log._clock.recorded = float(begun)
    for step in range(begun + 1, begun + EVERY + 1):
        log.observe(*pairs[step % len(pairs)], predictor=predictor, step=step, learning_rate=0.1)
    assert log.recordings == 1


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
        bare, ours, usual, every = fastest(
            [
                lambda: products(pairs),
                lambda: added(pairs),
                lambda: logged(pairs, folder),
                lambda: logged(pairs, folder, EVERY * samples),
            ],
            ROUNDS,
        )
    each = bare / inside
    return (
        f"| {samples} × {dims} | {1e3 * each:.2f} | {ours / bare:.2f} | {1e3 * (usual - ours):.0f} "
        f"| {every / (EVERY * each):.2f} | {inside} | {usual / (EVERY * each):.2f} "
        f"| {usual / bare:.2f} |"
    )


def long_run() -> str:
    """A long run of many modes: what its file costs, which is written anew at each recording."""
    pairs = batches(256, 512, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.nc"
        log = eigendyn.SpectrumLog(path, every=1, force=True)
        log.observe(*pairs[0], predictor=np.eye(512), learning_rate=0.1)
        history = log._history
        history.rows *= LONG  # they take as much to write whatever they hold
        history.steps = history.times = list(range(LONG))

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
        "A recording is eigenvectors, modes that are followed, all ranks, and the file. A log is",
        f"called at every one of the {EVERY} steps between two recordings, and is divided by the",
        "products of all batches that it was given: once with all of them in its window, once with",
        "the window that it has where nothing is said. The last column divides by the products of",
        "the batches in that window only. BLAS has one thread, as processor time counts threads",
        "that wait.",
        "",
        "| batch | bare products, ms | a batch in the window, over them | a recording, ms "
        "| log of every batch, over products | usual window, batches | log, over products of all "
        "batches | over those in its window |",
        "|---|---|---|---|---|---|---|---|",
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
