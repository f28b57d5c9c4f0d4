"""Time training on images against the bare descent of the same network.

    python benchmarks/training_step.py

prints the table, and writes benchmarks/training_step.md. The peer is what anybody would write in
JAX: embeddings of both views, half their squared distance with the second one stopped, gradient,
and Optax's descent with momentum, in one jitted scan over the same batches of the same network;
without predictor, running correlation, target, views that are drawn, measures and readouts. Both
are timed in turns, and the fastest round counts: steps in processor time; a whole run, beside as
many epochs of the peer on views drawn once, in processor time and by the clock.
"""

import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from machine import described, fastest

import eigendyn
from eigendyn.settings.training import Training
from eigendyn.training.batches import Views
from eigendyn.training.course import Course, course_of
from eigendyn.training.images import digits_images
from eigendyn.training.networks import Encoder, build
from eigendyn.training.step import first_state, take_steps

ROUNDS, EPOCHS, RUNS = 7, 200, 2
SYSTEMS = {
    "cosine": {"loss": "cosine"},
    "iso-cosine": {"loss": "iso-cosine"},
    "cosine, EMA target": {"loss": "cosine", "target": "ema"},
    "euclidean, learned predictor": {"loss": "euclidean", "predictor": "learned"},
    "cosine, mlp": {"loss": "cosine", "network": "mlp"},
}


def bare_epoch(course: Course, online: Encoder, target: Encoder | None) -> Callable:
    """The peer: descent of the bare loss on the batches of one epoch."""
    optimiser = optax.sgd(course.chosen.learning_rate, course.chosen.momentum)

    @jax.jit
    def epoch(weights, descent, first, second):
        def step(carry, views):
            weights, descent = carry

            def loss(weights):
                z1 = weights(views[0])
                z2 = jax.lax.stop_gradient((weights if target is None else target)(views[1]))
                return jnp.mean(jnp.sum((z1 - z2) ** 2, axis=1)) / 2

            value, gradient = jax.value_and_grad(loss)(weights)
            updates, descent = optimiser.update(gradient, descent)
            return (optax.apply_updates(weights, updates), descent), value

        return jax.lax.scan(step, (weights, descent), (first, second))

    descent = optimiser.init(online)
    return lambda first, second: jax.block_until_ready(epoch(online, descent, first, second))


def rows():
    """Yield a row of every system."""
    images = digits_images()
    for name, given in SYSTEMS.items():
        chosen = Training(**given)
        course = course_of(chosen, chosen.loss, images)
        chosen, views = course.chosen, course.views
        online = build(chosen.network, images.shape, chosen.embedding, jax.random.key(0), "float32")
        (first, second), *_ = _epoch(views, chosen.batch)
        state = first_state(chosen, online, np.asarray(first[0]))
        peer = bare_epoch(course, online, state.target)
        bare, ours, drawn = fastest(
            [
                lambda peer=peer, first=first, second=second: peer(first, second),
                lambda *_, c=course, s=state, x=first, y=second: jax.block_until_ready(
                    take_steps(c.chosen, c.loss, s, x, y)
                ),
                lambda views=views, batch=chosen.batch: _epoch(views, batch),
            ],
            ROUNDS,
        )

        def whole(given: dict = given) -> None:
            eigendyn.train(images=images, epochs=EPOCHS, **given)

        def bare_run(peer: Callable = peer, first: jax.Array = first, second: jax.Array = second):
            for _ in range(EPOCHS):
                peer(first, second)

        processor, clock = over(whole, bare_run)
        yield (
            f"| {name} | {1e3 * bare:.1f} | {ours / bare:.2f} | {drawn / bare:.2f} "
            f"| {processor:.2f} | {clock:.2f} |"
        )


def over(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Processor time of one over that of the other, and the same by the clock."""
    taken = np.full((RUNS + 1, 2, 2), np.inf)
    for turn in range(RUNS + 1):
        for place, run in enumerate((ours, theirs)):
            began = time.process_time(), time.perf_counter()
            run()
            taken[turn, place] = time.process_time() - began[0], time.perf_counter() - began[1]
    ours_least, theirs_least = taken[1:].min(axis=0)  # the first turn compiles
    processor, clock = (ours_least / theirs_least).tolist()
    return processor, clock


def _epoch(views: Views, batch: int) -> list:
    return [
        (jnp.asarray(first), jnp.asarray(second))
        for first, second in views.epoch(batch, np.random.default_rng(0))
    ]


def main() -> None:
    """Print the table and write it."""
    lines = [
        "# What training on images costs",
        "",
        "Digits, 11 batches of 128 in an epoch. The bare epoch is embeddings of both views, their",
        "squared distance, its gradient and the descent of the same network, in one jitted scan.",
        "The other columns are over it: an epoch of `train` with loss, predictor and target; views",
        f"drawn, in processor time; and a whole run of {EPOCHS} epochs with 21 measures and",
        "readouts, over as many bare epochs, in processor time and by the clock: views are drawn",
        "and networks measured while other steps are taken, on another core where one is free.",
        "The least of some rounds, in turns.",
        "",
        "| system | bare epoch, ms | steps | views drawn | whole run | by the clock |",
        "|---|---|---|---|---|---|",
        *rows(),
        "",
        described(("jax", "jaxlib", "optax", "equinox", "numpy", "scikit-learn")),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    (Path(__file__).parent / "training_step.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
