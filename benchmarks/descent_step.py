"""Time a step of gradient descent at 50,000 samples, here and in PyTorch, side by side.

    pip install torch                         # optional: without it only this project is timed
    python benchmarks/descent_step.py

prints the table, and writes benchmarks/descent_step.md. The PyTorch step is the plain one: whole
inputs for both views, a symmetric eigensolver for the predictor, the library's cosine similarity,
backward and SGD. Both are timed in turns, after a warm-up, and the fastest round of each counts.
"""

import platform
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from eigendyn.network import Network, descend
from eigendyn.settings.spectrum import published_weights

try:
    import torch
except ImportError:
    torch = None

BATCH, STEPS, ROUNDS, NOISE, RATE = 50_000, 50, 5, 0.1, 0.1
CASES = [(loss, stops) for loss in ("cosine", "euclidean") for stops in (True, False)]


def ours(loss: str, stops: bool, dtype: str) -> Callable[[], object]:
    """Steps of this project's network."""
    network = Network(
        loss, stop_gradient=stops, sigma2=NOISE, learning_rate=RATE, batch=BATCH, dtype=dtype
    )
    return lambda: descend(published_weights(), network, [0, STEPS], measures=("singular_value",))


def theirs(loss: str, stops: bool, dtype: str) -> Callable[[], object]:
    """The same steps in PyTorch."""
    weights = torch.tensor(published_weights(), dtype=getattr(torch, dtype), requires_grad=True)
    optimiser = torch.optim.SGD([weights], lr=RATE)

    def run() -> None:
        for _ in range(STEPS):
            x1 = torch.randn(BATCH, weights.shape[1], dtype=weights.dtype)
            x2 = x1 + NOISE * torch.randn_like(x1)
            with torch.no_grad():
                eigenvalues, vectors = torch.linalg.eigh(weights @ weights.T)
                predictor = (vectors * eigenvalues) @ vectors.T
            prediction, target = x1 @ weights.T @ predictor, x2 @ weights.T
            if stops:
                target = target.detach()
            if loss == "cosine":
                mean = -torch.nn.functional.cosine_similarity(prediction, target, dim=-1).mean()
            else:
                mean = 0.5 * ((prediction - target) ** 2).sum(dim=-1).mean()
            optimiser.zero_grad()
            mean.backward()
            optimiser.step()

    return run


def fastest(runs: list[Callable[[], object]]) -> list[float]:
    """Milliseconds per step of each, in turns."""
    for run in runs:
        run()
    best = [float("inf")] * len(runs)
    for _ in range(ROUNDS):
        for i, run in enumerate(runs):
            start = time.perf_counter()
            run()
            best[i] = min(best[i], 1e3 * (time.perf_counter() - start) / STEPS)
    return best


def table() -> Iterator[str]:
    """Rows of milliseconds per step, and their ratio."""
    yield "| loss | dtype | eigendyn, ms | PyTorch, ms | ratio |"
    yield "|---|---|---|---|---|"
    for loss, stops in CASES:
        for dtype in ("float64", "float32"):
            runs = [ours(loss, stops, dtype), *([theirs(loss, stops, dtype)] if torch else [])]
            mine, *other = fastest(runs)
            name = loss if stops else f"{loss}, no stop-gradient"
            compared = f"{other[0]:.1f} | {other[0] / mine:.1f}" if other else "– | –"
            yield f"| {name} | {dtype} | {mine:.1f} | {compared} |"


def main() -> None:
    """Print the table, and write it with what it was measured with."""
    lines = ["# A step of gradient descent at 50,000 samples, 10 modes, 15 inputs", ""]
    for row in table():
        print(row, flush=True)
        lines.append(row)
    packages = ("jax", "torch") if torch else ("jax",)
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines += ["", f"{datetime.now(UTC):%Y-%m-%d}, 2 cores {platform.machine()}, {versions}."]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
