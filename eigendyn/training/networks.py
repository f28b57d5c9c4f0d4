"""Build the networks that are trained on images: convolutions, layers of units, or one matrix."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

import eigendyn.settings.precision  # noqa: F401

HIDDEN = {"mlp": 256, "projector": 128}  # units of a layer
CHANNELS, MOST_CHANNELS = 16, 64  # of the first convolution, and of the last ones
SIDE = 3  # pixels of a convolution
BLOCK = 128  # samples at a time, where many are embedded
SMALLEST = 2  # pixels of an image at which halving stops


class Dense(eqx.Module):
    """A linear layer, h ↦ h w + b."""

    weight: Array  # (inputs, outputs)
    bias: Array | None  # (outputs,)

    def __call__(self, h: Array) -> Array:
        """Outputs (samples, outputs) of inputs (samples, inputs)."""
        product = h @ self.weight
        return product if self.bias is None else product + self.bias


class Convolution(eqx.Module):
    """A convolution of 3 × 3 pixels, as one product of matrices.

    XLA's own convolution is thirty times slower than this in a loop on a processor.
    """

    weight: Array  # (9 × channels, outputs)
    bias: Array  # (outputs,)
    stride: int = eqx.field(static=True)

    def __call__(self, h: Array) -> Array:
        """Images (samples, height, width, outputs) of images (samples, height, width, channels)."""
        around = SIDE // 2
        padded = jnp.pad(h, ((0, 0), (around, around), (around, around), (0, 0)))
        rows, columns = (-(-side // self.stride) for side in h.shape[1:3])

        def moved(i: int, j: int) -> Array:
            down = slice(i, i + self.stride * (rows - 1) + 1, self.stride)
            right = slice(j, j + self.stride * (columns - 1) + 1, self.stride)
            return padded[:, down, right]

        patches = jnp.concatenate([moved(i, j) for i in range(SIDE) for j in range(SIDE)], axis=-1)
        flat = patches.reshape(-1, patches.shape[-1]) @ self.weight + self.bias
        return flat.reshape(len(h), rows, columns, -1)


class Encoder(eqx.Module):
    """An encoder f with a projector g: features h = f(x), embedding z = g(h)."""

    layers: tuple[Dense | Convolution, ...]
    projector: tuple[Dense, ...]
    shape: tuple[int, ...] = eqx.field(static=True)  # of what the first layer takes

    def features(self, x: Array) -> Array:
        """Features (samples, features) of inputs (samples, pixels)."""
        h = x.reshape(len(x), *self.shape)
        for layer in self.layers:
            h = jax.nn.relu(layer(h)) if self.projector else layer(h)
        return h.reshape(len(x), -1)

    def __call__(self, x: Array) -> Array:
        """Embeddings z (samples, dimensions) of inputs (samples, pixels)."""
        return self.projected(self.features(x))

    def projected(self, h: Array) -> Array:
        """Embeddings z (samples, dimensions) of features (samples, features)."""
        for layer in self.projector[:-1]:
            h = jax.nn.relu(layer(h))
        return self.projector[-1](h) if self.projector else h


def embedded(encoder: Encoder, x: NDArray) -> tuple[NDArray, NDArray]:
    """Features (samples, features) and embeddings (samples, dimensions) of inputs.

    They are taken `BLOCK` samples at a time, the last ones filled up with zeros: what is between
    fits a processor's cache, and the same compiled code does for any number of samples.

    Args:
        encoder: The network.
        x: Inputs (samples, pixels).
    """
    blocks = -(-len(x) // BLOCK)
    filled = np.pad(x, ((0, blocks * BLOCK - len(x)), (0, 0)))
    found = [_both(encoder, block) for block in filled.reshape(blocks, BLOCK, -1)]
    features, z = (np.concatenate(part)[: len(x)] for part in zip(*found, strict=True))
    return features, z


@jax.jit
def _both(encoder: Encoder, x: Array) -> tuple[Array, Array]:
    h = encoder.features(x)
    return h, encoder.projected(h)


def build(
    network: str, shape: tuple[int, ...], dimensions: int, key: Array, dtype: str = "float32"
) -> Encoder:
    """Draw an encoder.

    Weights before a rectifier have variance 2/inputs (He et al. 2015), others 1/inputs; biases are
    zero.

    Args:
        network: "conv": convolutions of 3 × 3 with rectifiers, the first of 16 channels, then
            each with twice the channels, up to 64, and half the height and width, down to two
            pixels; then as a projector a rectified layer of 128 and a linear one. "mlp": two
            rectified layers of 256 and the same projector. "linear": z = W x, without bias.
        shape: Of an image, (height, width), or of a vector, (dimensions,).
        dimensions: Of the embedding.
        key: Random key.
        dtype: Of all weights.
    """
    inputs = 1
    for side in shape:
        inputs *= side
    if network == "linear":
        return Encoder((_dense(key, inputs, dimensions, 1.0, dtype, bias=False),), (), (inputs,))
    first, second, *keys = jax.random.split(key, 32)
    if network == "mlp":
        width = HIDDEN["mlp"]
        layers: tuple[Dense | Convolution, ...] = (
            _dense(keys[0], inputs, width, 2.0, dtype),
            _dense(keys[1], width, width, 2.0, dtype),
        )
        taken: tuple[int, ...] = (inputs,)
    else:
        layers, width = _convolutions(keys, shape, dtype)
        taken = (*shape, 1)
    projector = (
        _dense(first, width, HIDDEN["projector"], 2.0, dtype),
        _dense(second, HIDDEN["projector"], dimensions, 1.0, dtype),
    )
    return Encoder(layers, projector, taken)


def _convolutions(
    keys: list[Array], shape: tuple[int, ...], dtype: str
) -> tuple[tuple[Convolution, ...], int]:
    """Convolutions down to images of two pixels, and the number of features that are left."""
    rows, columns = shape
    channels, outputs, stride = 1, CHANNELS, 1
    layers = []
    while stride == 1 or max(rows, columns) > SMALLEST:
        weight = _drawn(keys[len(layers)], SIDE**2 * channels, outputs, 2.0, dtype)
        layers.append(Convolution(weight, jnp.zeros(outputs, dtype), stride))
        rows, columns = -(-rows // stride), -(-columns // stride)
        channels, outputs, stride = outputs, min(2 * outputs, MOST_CHANNELS), 2
    return tuple(layers), rows * columns * channels


def _dense(
    key: Array, inputs: int, outputs: int, gain: float, dtype: str, bias: bool = True
) -> Dense:
    weight = _drawn(key, inputs, outputs, gain, dtype)
    return Dense(weight, jnp.zeros(outputs, dtype) if bias else None)


def _drawn(key: Array, inputs: int, outputs: int, gain: float, dtype: str) -> Array:
    return (
        jax.random.normal(key, (inputs, outputs), dtype) * jnp.asarray(gain / inputs, dtype) ** 0.5
    )
