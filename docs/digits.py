"""From real images to learning dynamics: all four losses on embeddings of handwritten digits.

scikit-learn's 1,797 digit images (64 pixels) pass through a random linear encoder. The spectrum of
their embeddings is far from white: the mean image alone makes one mode large. Each loss then says
which modes are recruited, which collapse, and when.

    python docs/digits.py [FOLDER] [--force]

writes digits_embeddings.npy to the folder, so that the command line can start from it too.
"""

import argparse
from pathlib import Path

import numpy as np
import xarray
from sklearn.datasets import load_digits

import eigendyn
from eigendyn.results.files import check_output, write_atomically
from eigendyn.results.outcomes import sizes
from eigendyn.settings.choices import LOSS_NAMES

DIMENSIONS = 32
WEIGHT_DECAY = 0.005


def embed(dimensions: int = DIMENSIONS, seed: int = 0) -> np.ndarray:
    """Embed the digits (1797, dimensions) with a random encoder, entries N(0, 1/16).

    Pixels, 0 to 16 in the data, are scaled to 0 to 1.
    """
    pixels = load_digits().data / 16
    encoder = np.random.default_rng(seed).normal(scale=0.25, size=(dimensions, pixels.shape[1]))
    return pixels @ encoder.T


def report(loss: str, variances: np.ndarray) -> None:
    """Print which modes are recruited, which collapse, and when."""
    run = eigendyn.simulate(loss, variances, weight_decay=WEIGHT_DECAY)
    size = run.outcome.attrs["size"]  # what outcomes are measured by
    values = sizes(run.variance.values, size != "variance")
    print(f"\n{loss}, {size}")
    for outcome in np.unique(run.outcome):
        modes = np.flatnonzero(run.outcome == outcome)
        course = f"{span(values[modes, 0])} → {span(values[modes, -1])}"
        times = f", from t = {span(run.recruitment_time[modes])}" if outcome == "recruited" else ""
        print(f"  {len(modes):2} {outcome:10}  {course}{times}")


def span(values: np.ndarray | xarray.DataArray) -> str:
    """Smallest and largest, to three digits."""
    low, high = f"{float(values.min()):.3g}", f"{float(values.max()):.3g}"
    return low if low == high else f"{low}…{high}"


def main() -> None:
    """Embed, save, and run all four losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=".", type=Path)
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    arguments = parser.parse_args()
    embeddings = embed()
    try:
        path = check_output(arguments.folder / "digits_embeddings.npy", (".npy",), arguments.force)
        write_atomically(path, arguments.force, lambda part: np.save(part, embeddings))
    except eigendyn.EigendynError as error:
        parser.error(str(error))
    print(f"Saved {path}, {embeddings.shape[0]} samples × {embeddings.shape[1]} dimensions.")
    variances = eigendyn.spectrum.from_embeddings(embeddings)
    print(f"{len(variances)} modes, variances {span(variances)}; weight decay {WEIGHT_DECAY}.")
    for loss in LOSS_NAMES:
        report(loss, variances)


if __name__ == "__main__":
    main()
