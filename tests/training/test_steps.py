"""Steps on batches of views, against the linear network room and against a loss by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.network.descent import descent_step
from eigendyn.network.descent import first_state as first_weights
from eigendyn.network.network import Network
from eigendyn.network.views import Drawn, Population
from eigendyn.settings.presets import METHODS
from eigendyn.settings.training import Training
from eigendyn.theory.losses import chosen_loss
from eigendyn.training.exported import batch_loss
from eigendyn.training.networks import build, embedded
from eigendyn.training.step import State, first_state, take_steps

STEPS, BATCH, PIXELS, MODES = 6, 16, 5, 3
SYSTEMS = {
    **METHODS,
    "euclidean, running": {"loss": "euclidean", "predictor": "running", "weight_decay": 0.02},
    "iso-euclidean, learned target": {"loss": "iso-euclidean", "target": "ema", "ema": 0.8},
    "bare cosine": {"loss": "cosine", "predictor": "none"},
    "no stop-gradient": {"loss": "euclidean", "stop_gradient": False},
    "family": {"loss": "cosine", "beta": 0.5},
}


QUICK = ("byol", "directpred", "no stop-gradient")  # have every part between them


@pytest.fixture(scope="module")
def views():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(STEPS, BATCH, PIXELS))
    return tuple(shared + 0.3 * rng.normal(size=shared.shape) for _ in range(2))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.full, id=name)
        for name in SYSTEMS
    ],
)
def test_a_linear_network_takes_the_steps_of_the_network_room(name, views):
    given = {"learning_rate": 0.1, "predictor": "running", **SYSTEMS[name], "steps": STEPS}
    chosen = Training(network="linear", embedding=MODES, dtype="float64", **given)
    own = {
        key: getattr(chosen, key)
        for key in (*given, "alpha", "momentum", "weight_decay", "correlation_momentum")
    }
    network = Network(batch=BATCH, **own)
    online = build("linear", (PIXELS,), MODES, jax.random.key(0), "float64")
    state = first_state(chosen, online, views[0][0])
    population = Population(jnp.eye(PIXELS), jnp.eye(PIXELS))  # of which only steps' batches matter
    weights = first_weights(network, online.layers[0].weight.T, population)
    if weights.correlation is not None:  # both from that of the first batch
        object.__setattr__(weights, "correlation", state.correlation)
    loss = batch_loss(chosen_loss(chosen.loss, chosen))
    state, _ = take_steps(chosen, loss, state, *views)
    for number, (first, second) in enumerate(zip(*views, strict=True)):
        batch = Drawn(jnp.asarray(first.T), jnp.asarray(second.T), population)
        weights = descent_step(network, weights, jnp.asarray(number), batch)
    np.testing.assert_allclose(state.online.layers[0].weight.T, weights.encoder, rtol=1e-9)
    for ours, theirs in (
        (state.correlation, weights.correlation),
        (None if state.predictor is None else state.predictor.T, weights.predictor),
        (state.target and state.target.layers[0].weight.T, weights.target),
    ):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.full  # of linear networks above; what a convolution is stands below
@pytest.mark.parametrize("network", ["conv", "mlp"])
def test_a_step_descends_the_mean_loss_of_its_batch(network):
    shape, images = (4, 4), np.random.default_rng(0).normal(size=(2, 1, 8, 16))
    chosen = Training(
        loss="euclidean",
        network=network,
        embedding=4,
        predictor="direct",
        alpha=1.0,
        momentum=0.0,
        weight_decay=0.5,
        learning_rate=1e-3,
        dtype="float64",
    )
    online = build(network, shape, 4, jax.random.key(1), "float64")
    state = first_state(chosen, online, images[0, 0])

    def by_hand(weights):
        z1, z2 = weights(images[0, 0]), jax.lax.stop_gradient(weights(images[1, 0]))
        fixed = jax.lax.stop_gradient(z1)
        predictor = fixed.T @ fixed / len(fixed)
        return jnp.mean(jnp.sum((z1 @ predictor - z2) ** 2, axis=1)) / 2

    value, gradient = jax.jit(jax.value_and_grad(by_hand))(online)
    after, losses = take_steps(
        chosen, batch_loss(chosen_loss("euclidean", chosen)), state, *map(jnp.asarray, images)
    )
    np.testing.assert_allclose(losses, [value])
    for new, old, slope in zip(
        *map(jax.tree.leaves, (after.online, online, gradient)), strict=True
    ):
        np.testing.assert_allclose(new, old - 1e-3 * (slope + 0.5 * old), atol=1e-14)


@pytest.mark.full
def test_a_convolution_is_that_of_jax():
    shape, images = (7, 5), jax.random.normal(jax.random.key(0), (3, 7, 5, 1))
    encoder = build("conv", shape, 4, jax.random.key(1), "float64")
    ours = theirs = images
    for layer in encoder.layers:
        inputs = theirs.shape[-1]
        kernel = layer.weight.reshape(3, 3, inputs, -1)
        padding = [(1, 1), (1, 1)]
        strides = (layer.stride, layer.stride)
        order = ("NHWC", "HWIO", "NHWC")
        theirs = jax.lax.conv_general_dilated(
            theirs, kernel, strides, padding, dimension_numbers=order
        )
        ours = layer(ours)
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert ours.shape == (3, 2, 2, 64)


def test_a_row_of_zeros_has_a_finite_gradient():
    chosen = Training(loss="cosine", embedding=2, dtype="float64")
    loss = batch_loss(chosen_loss("cosine", chosen))
    z = jnp.zeros((2, 2))
    assert np.isfinite(jax.grad(loss)(z, z, jnp.eye(2))).all()


@pytest.mark.full
def test_float32_stays_float32():
    chosen = Training(loss="cosine", network="mlp", embedding=2, target="ema")
    online = build("mlp", (4,), 2, jax.random.key(0), "float32")
    x = np.ones((1, 3, 4), "float32") * np.arange(3, dtype="float32")[:, None]
    loss = batch_loss(chosen_loss("cosine", chosen))
    state, losses = take_steps(chosen, loss, first_state(chosen, online, x[0]), x, x)
    kept = [leaf for leaf in jax.tree.leaves(state) if leaf.ndim]
    assert {str(leaf.dtype) for leaf in (*kept, losses)} == {"float32"}
    assert isinstance(state, State)


@pytest.mark.parametrize("count", [3, 128, 130, 256])
def test_samples_in_blocks_are_those_of_the_whole(count):
    encoder = build("mlp", (4,), 2, jax.random.key(0), "float64")
    x = np.random.default_rng(0).normal(size=(count, 4))
    features, z = embedded(encoder, x)
    np.testing.assert_allclose(features, encoder.features(x), rtol=1e-12)
    np.testing.assert_allclose(z, encoder(x), rtol=1e-12, atol=1e-12)


def test_trainings_that_differ_in_numbers_share_compiled_code():
    x = np.random.default_rng(0).normal(size=(2, 5, 4))
    loss = batch_loss(chosen_loss("cosine", Training(loss="cosine")))
    known = {"loss": "cosine", "network": "linear", "embedding": 2, "dtype": "float64"}
    online = build("linear", (4,), 2, jax.random.key(0), "float64")

    def step(**given):
        chosen = Training(**{"target": "ema", "epsilon": 0.1, **known, **given})
        return take_steps(chosen, loss, first_state(chosen, online, x[0]), x, x)[0].online

    first = step()
    compiled = take_steps._cache_size()
    others = [
        {"learning_rate": 0.1},
        {"momentum": 0.5},
        {"weight_decay": 0.3},
        {"ema": 0.5, "seed": 7, "epochs": 3},
        {"epsilon": 0.2, "correlation_momentum": 0.1},
    ]
    moved = [step(**given) for given in others]
    assert take_steps._cache_size() == compiled
    assert not any(np.array_equal(first.layers[0].weight, one.layers[0].weight) for one in moved)
    step(momentum=0.0)
    assert take_steps._cache_size() == compiled + 1
