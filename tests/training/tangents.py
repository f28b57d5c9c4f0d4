"""Networks whose tangents are known exactly, and views whose moments are diagonal as drawn."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from eigendyn.training.measured import decayed_layers, measure, tangent_gains

PAIRS, MODES = 400, 4
SIGNAL = np.array([2.0, 1.0, 0.5, 0.25])
NOISE = np.array([0.05, 0.4, 0.02, 0.3])


def diagonal_views(seed=0):
    """Views (pairs, modes) whose second moments are exactly d, d + a1 and d + a2 = d + a1."""
    draws = np.random.default_rng(seed).standard_normal((PAIRS, 3 * MODES))
    columns = np.sqrt(PAIRS) * np.linalg.qr(draws)[0]  # orthonormal over the pairs
    x, n1, n2 = np.split(columns, 3, axis=1)
    x, n1, n2 = x * np.sqrt(SIGNAL), n1 * np.sqrt(NOISE), n2 * np.sqrt(NOISE)
    return x + n1, x + n2


def measured(embed, weights, target, predictor, loss):
    """All that is measured of a network on these views, its gains and layers too."""
    views = diagonal_views()
    online = tuple(embed(weights, x) for x in views)
    seen = None if target is None else tuple(embed(target, x) for x in views)
    found = measure(online, seen, predictor, loss)
    gains = tangent_gains(embed, weights, *views, found.vectors, len(found.vectors))
    layers = decayed_layers(embed, weights, *views, found.vectors)
    return replace(found, gain=gains, layers=layers)


def linear(weights, x):
    return x @ weights


def relu_net(weights, x):
    for layer in weights[:-1]:
        x = jax.nn.relu(x @ layer)
    return x @ weights[-1]


def euclidean(z1, z2, predictor):
    return 0.5 * jnp.mean(jnp.sum((z1 @ predictor - jax.lax.stop_gradient(z2)) ** 2, axis=1))


def cosine(z1, z2, predictor):
    p, z2 = z1 @ predictor, jax.lax.stop_gradient(z2)
    lengths = jnp.linalg.norm(p, axis=1) * jnp.linalg.norm(z2, axis=1)
    return -jnp.mean(jnp.sum(p * z2, axis=1) / lengths)


def mixed_net(seed, widths, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [
        jnp.asarray(rng.standard_normal((a, b)) * np.sqrt(2 / a), dtype)
        for a, b in pairwise(widths)
    ]
