"""Measure what the mode theory needs of a network while it trains, whatever its kind.

The theory speaks of a linear encoder. A network z = f(x; θ) has in its place a tangent: to first
order ż = J(x) θ̇ with J = ∂f/∂θ and θ̇ = E[Jᵀ δ] − ω θ. J is taken by automatic differentiation,
so that the gain and the decay of every mode are measured, not fitted.

Source: Halvagal et al. 2023 (arXiv 2212.04858), the modes; Jacot et al. 2018, the tangent kernel;
Garrido et al. 2023, RankMe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

import eigendyn.settings.precision  # noqa: F401

Embed = Callable[[Any, Any], Array]  # θ, inputs (pairs, inputs) → z (pairs, dimensions)
Pair = tuple[ArrayLike, ArrayLike]  # z1 and z2 (pairs, dimensions) of the same images
Loss = Callable[[Array, Array, Array], Array]  # z1, z2 (pairs, dimensions), W_P → mean loss
ROUND_OFF = 1e4  # in units of the precision: below it a length is round-off


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Measured:
    """A network at one moment, in the eigenbasis U of what its two views share.

    Modes are ordered by their variance, largest first; all numbers are float64.

    Args:
        variance: v_m, eigenvalues of the symmetric part of E[z1 z2ᵀ] (modes,); where there are few
            pairs the smallest may be negative.
        variance_error: Standard error of v_m over the pairs (modes,).
        vectors: U, an eigenvector in each column (dimensions, modes).
        first: z1_m of every pair (pairs, modes).
        second: z2_m, of the target where there is one (pairs, modes).
        noise1: u_mᵀ(E[z1 z1ᵀ] − E[z1 z2ᵀ])u_m (modes,).
        noise2: The same of the second view, of the target where there is one (modes,).
        target_variance: u_mᵀ E[z1 z2ᵀ] u_m of the target (modes,); v_m where there is none.
        predictor_eigenvalue: u_mᵀ W_P u_m (modes,).
        alignment: Cosine of the angle between W_P u_m and u_m (modes,): 1 where the predictor has
            the eigenvector too, NaN where W_P u_m is nothing but round-off.
        drive: G_m = E[z1_m δ1_m + z2_m δ2_m], what the theory says of the loss (modes,).
        drive_error: Standard error of G_m over the pairs (modes,).
        gain: κ_m, by which its own drive makes dv_m/dt = 2 κ_m G_m (modes,): of a linear encoder
            the signal d_m of its data. NaN here; `tangent_gains` measures it.
        layers: L_m, so that weight decay alone makes dv_m/dt = −2 ω L_m v_m (modes,). NaN here;
            `decayed_layers` measures it.
        rankme: exp of the entropy of the singular values of z1 over their sum.
        mean_share: ‖E z1‖²/E‖z1‖²: 1 where all images have the same representation.
    """

    variance: Array
    variance_error: Array
    vectors: Array
    first: Array
    second: Array
    noise1: Array
    noise2: Array
    target_variance: Array
    predictor_eigenvalue: Array
    alignment: Array
    drive: Array
    drive_error: Array
    gain: Array
    layers: Array
    rankme: Array
    mean_share: Array


@partial(jax.jit, static_argnames="loss")
def measure(online: Pair, target: Pair | None, predictor: Array, loss: Loss) -> Measured:
    r"""Measure a network by what it makes of pairs of views, the same ones at every moment.

    With U the eigenvectors of (E[z1 z2ᵀ] + E[z2 z1ᵀ])/2, the network itself on both views, held
    fixed while it moves,

        G_m = E[z1_m δ1_m] + E[z2_m δ2_m],  δ = −∂ℓ/∂z of a sample

    Args:
        online: z1 and z2 (pairs, dimensions) of the network.
        target: Those of an EMA target; None where the network is its own.
        predictor: W_P (dimensions, dimensions), used as z @ W_P.
        loss: Mean loss of z1, z2 and W_P, with its own stop-gradients. It is compiled in, so that
            the same function must be given every time.

    Returns:
        What is measured without differentiating the network.

    Source: Halvagal et al. 2023, the modes of linear encoders.
    """
    z, seen = _arrays(online), _arrays(target or online)
    slopes = jax.grad(loss, (0, 1))(z[0], seen[1], predictor)
    count = len(z[0])

    shared = _wide(z[0]).T @ _wide(z[1]) / count
    values, vectors = jnp.linalg.eigh((shared + shared.T) / 2)
    variance, vectors = values[::-1], vectors[:, ::-1]
    own1, own2 = _in_modes(z, vectors)
    target1, target2 = _in_modes(seen, vectors)
    # The slopes are of a mean: those of one sample are as many times as large as there are pairs.
    pull1, pull2 = (-count * slope for slope in _in_modes(slopes, vectors))
    work = own1 * pull1 + (own2 * pull2 if target is None else 0.0)
    drive = jnp.mean(work, axis=0)
    between = jnp.mean(target1 * target2, axis=0)
    rotated = vectors.T @ _wide(predictor) @ vectors
    spread = jnp.mean(own1**2, axis=0)
    unknown = jnp.full_like(drive, jnp.nan)
    return Measured(
        variance=variance,
        variance_error=_standard_error(own1 * own2),
        vectors=vectors,
        first=own1,
        second=target2,
        noise1=spread - variance,
        noise2=jnp.mean(target2**2, axis=0) - between,
        target_variance=between,
        predictor_eigenvalue=jnp.diagonal(rotated),
        alignment=_cosines(rotated.T, predictor.dtype),  # that of W_P z, as p = z @ W_P is a row
        drive=drive,
        drive_error=_standard_error(work),
        gain=unknown,
        layers=unknown,
        rankme=_rankme(own1),
        mean_share=jnp.sum(jnp.mean(own1, axis=0) ** 2) / jnp.sum(spread),
    )


@partial(jax.jit, static_argnums=0)
def tangent_gains(
    embed: Embed, params: Any, x1: ArrayLike, x2: ArrayLike, vectors: Array, count: ArrayLike
) -> Array:
    r"""How far a drive along each mode's own representation moves that mode, κ (modes,).

    κ_m = ‖∇θ v_m/2‖²/v_m, v_m = u_mᵀ E[z1 z2ᵀ] u_m at fixed u: the diagonal of the tangent kernel
    along z_m as a function of the images. A drive δ_m = (G_m/v_m) z_m gives dv_m/dt = 2 κ_m G_m by
    itself. What the drives of other modes do to this one through the layers that they share is left
    out, and κ_m is never negative where v_m is not. For a linear encoder aligned with its data it
    is their signal d_m.

    It takes a backward pass for each mode.

    Args:
        embed: f(θ, x), z (pairs, dimensions) of inputs (pairs, inputs). It is compiled in, as the
            loss of `measure`.
        params: θ, a tree of arrays.
        x1: First views (pairs, inputs).
        x2: Second views (pairs, inputs).
        vectors: U (dimensions, modes), as measured.
        count: Number of leading modes whose gain is wanted; those of the others are NaN.

    Source: Jacot et al. 2018.
    """
    (z1, z2), backward = jax.vjp(lambda weights: (embed(weights, x1), embed(weights, x2)), params)

    def put_gain(mode: Array, gains: Array) -> Array:
        direction = vectors[:, mode].astype(z1.dtype)
        own1, own2 = z1 @ direction, z2 @ direction
        pulls = (own[:, None] * direction / (2 * len(z1)) for own in (own2, own1))
        (slope,) = backward(tuple(pulls))
        squares = sum(jnp.sum(_wide(leaf) ** 2) for leaf in jax.tree.leaves(slope))
        return gains.at[mode].set(squares / jnp.mean(_wide(own1 * own2)))

    return jax.lax.fori_loop(0, count, put_gain, jnp.full(vectors.shape[1], jnp.nan))


@partial(jax.jit, static_argnums=0)
def decayed_layers(
    embed: Embed, params: Any, x1: ArrayLike, x2: ArrayLike, vectors: Array
) -> Array:
    r"""On how many layers weight decay acts in each mode, L (modes,).

        L_m = E[(Jθ)1_m z2_m + z1_m (Jθ)2_m]/(2 v_m)

    One for a linear encoder. For layers of ReLU without biases it is their number, by Euler's
    theorem.

    Args:
        embed: As of `tangent_gains`; so are the others.
        params: See there.
        x1: See there.
        x2: See there.
        vectors: See there.
    """

    def views(weights: Any) -> tuple[Array, Array]:
        return embed(weights, x1), embed(weights, x2)

    z, pushed = jax.jvp(views, (params,), (params,))
    (own1, own2), (push1, push2) = _in_modes(z, vectors), _in_modes(pushed, vectors)
    rate = jnp.mean(push1 * own2 + own1 * push2, axis=0)
    return rate / (2 * jnp.mean(own1 * own2, axis=0))


def _arrays(pair: Pair) -> tuple[Array, Array]:
    return jnp.asarray(pair[0]), jnp.asarray(pair[1])


def _in_modes(pair: tuple[Array, Array], vectors: Array) -> tuple[Array, Array]:
    return _wide(pair[0]) @ vectors, _wide(pair[1]) @ vectors


def _wide(values: Array) -> Array:
    return values.astype(jnp.float64)


def _standard_error(values: Array) -> Array:
    """Standard error of a mean over the pairs (pairs, modes)."""
    return jnp.std(values, axis=0) / jnp.sqrt(len(values))


def _cosines(matrix: Array, dtype: Any) -> Array:
    """Cosine of the angle between every unit vector and its image."""
    lengths = jnp.linalg.norm(matrix, axis=0)
    floor = ROUND_OFF * jnp.finfo(dtype).eps * jnp.linalg.norm(matrix)
    return jnp.diagonal(matrix) / jnp.where(lengths > floor, lengths, jnp.nan)


def _rankme(z: Array) -> Array:
    """exp(−Σ p ln p), p the singular values of z over their sum."""
    singular = jnp.sqrt(jnp.maximum(jnp.linalg.eigvalsh(z.T @ z), 0))
    shares = singular / singular.sum()
    return jnp.exp(-jnp.sum(shares * jnp.log(jnp.where(shares > 0, shares, 1))))
