"""Measure what the mode theory needs of a network while it trains, whatever its kind.

The theory speaks of a linear encoder; a network z = f(x; θ) has in its place a tangent: to first
order ż = J(x) θ̇ with J = ∂f/∂θ, and θ̇ = E[Jᵀ δ] − ω θ. Both are taken as they are, by automatic
differentiation, so that every mode's gain and decay are measured, not fitted.

Source: Halvagal et al. 2023 (modes, arXiv 2212.04858); Jacot et al. 2018 (tangent kernel);
Garrido et al. 2023 (RankMe).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import eigendyn.settings.precision  # noqa: F401  isort: skip

import jax
import jax.numpy as jnp
from jax import Array

Embed = Callable[[Any, Array], Array]  # parameters, inputs (pairs, inputs) → z (pairs, modes)
Loss = Callable[[Array, Array, Array], Array]  # z1, z2 (pairs, modes), W_P → mean loss
ROUND_OFF = 1e4  # in units of the precision: below it a length is round-off


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Measured:
    """A network at one moment, in the eigenbasis U of what its two views share.

    Modes are ordered by their variance, largest first; all numbers are in float64.

    Args:
        variance: v_m, eigenvalues of the symmetric part of E[z1 z2ᵀ] (modes,); sampling may make
            the smallest of them negative.
        vectors: U, one eigenvector a column (dimensions, modes).
        noise1: u_mᵀ(E[z1 z1ᵀ] − E[z1 z2ᵀ])u_m (modes,).
        noise2: The same of the second view, in the target where there is one (modes,).
        target_variance: Variance that two views share in the target, u_mᵀ E[z̃1 z̃2ᵀ] u_m (modes,);
            v_m where it is the network itself.
        predictor: u_mᵀ W_P u_m (modes,).
        drive: G_m = E[z1_m δ1_m] + E[z2_m δ2_m], what the theory says of the loss (modes,).
        moved: dv_m/dt of a step against the loss's gradient, without weight decay (modes,).
        gain: κ_m = moved/(2 drive) (modes,): of a linear encoder the signal d_m of its data.
        layers: L_m, so that weight decay alone gives dv_m/dt = −2 ω L_m v_m (modes,).
        alignment: Cosine of the angle between W_P u_m and u_m (modes,): 1 where the predictor has
            the eigenvector too, NaN where W_P u_m is nothing but round-off.
        first: z1_m of every pair (pairs, modes).
        second: z2_m, in the target where there is one (pairs, modes).
        rankme: exp of the entropy of the singular values of z1 over their sum.
        mean_share: ‖E z‖²/E‖z‖²: 1 where every image has the same representation.
    """

    variance: Array
    vectors: Array
    noise1: Array
    noise2: Array
    target_variance: Array
    predictor: Array
    drive: Array
    moved: Array
    gain: Array
    layers: Array
    alignment: Array
    first: Array
    second: Array
    rankme: Array
    mean_share: Array

    def growth_rate(self, weight_decay: float) -> Array:
        """D ln v_m/dt = 2 (κ_m G_m/v_m − ω L_m) (modes,) [1/time: learning rate × step]."""
        return self.moved / self.variance - 2 * weight_decay * self.layers


@partial(jax.jit, static_argnums=(0, 4))
def measure(
    embed: Embed,
    params: Any,
    target_params: Any,
    predictor: Array,
    loss: Loss,
    x1: Array,
    x2: Array,
) -> Measured:
    r"""Measure a network on fixed pairs of views.

    With U the eigenvectors of C = (E[z1 z2ᵀ] + E[z2 z1ᵀ])/2, all with the network on both views,

        G_m = E[z1_m δ1_m] + E[z2_m δ2_m],  δ = −∂ℓ/∂z of a sample
        dv_m/dt = u_mᵀ Ċ u_m = E[ż1_m z2_m + z1_m ż2_m],  ż = J θ̇,  θ̇ = −∇θ loss
        κ_m = (dv_m/dt)/(2 G_m)
        L_m = (E[(Jθ)1_m z2_m + z1_m (Jθ)2_m])/(2 v_m)

    For a linear encoder in the eigenbasis of its data, κ_m = d_m and L_m = 1 exactly; for a
    network of ReLU layers without biases, L_m is their number (Euler's theorem).

    Args:
        embed: f(θ, x), z (pairs, modes) of inputs (pairs, inputs).
        params: θ, a tree of arrays.
        target_params: Those of an EMA target; None where the network is its own.
        predictor: W_P (modes, modes), z @ W_P.
        loss: Mean loss of z1, z2 and W_P, with its own stop-gradients.
        x1: First views (pairs, inputs).
        x2: Second views (pairs, inputs).

    Returns:
        What is measured; a gain is infinite or NaN where nothing drives its mode.
    """

    def views(weights: Any) -> tuple[Array, Array]:
        return embed(weights, x1), embed(weights, x2)

    def objective(weights: Any) -> Array:
        z1, z2 = views(weights)
        return loss(z1, z2 if target_params is None else embed(target_params, x2), predictor)

    uphill = jax.grad(objective)(params)
    z, push = jax.linearize(views, params)
    targets = z if target_params is None else (embed(target_params, x1), embed(target_params, x2))
    slopes = jax.grad(loss, (0, 1))(z[0], targets[1], predictor)

    shared = _moment(*z)
    values, vectors = jnp.linalg.eigh((shared + shared.T) / 2)
    variance, vectors = values[::-1], vectors[:, ::-1]

    def of_modes(first: Array, second: Array) -> Array:
        """E[first_m second_m] (modes,)."""
        return _in_modes(_moment(first, second), vectors)

    def rate(direction: Any) -> Array:
        """dv_m/dθ along a direction (modes,)."""
        moving = push(direction)
        return of_modes(moving[0], z[1]) + of_modes(z[0], moving[1])

    # slopes are those of a mean, so that a sample's are as many times as large as there are pairs
    drive = -len(x1) * of_modes(z[0], slopes[0])
    if target_params is None:
        drive = drive - len(x1) * of_modes(z[1], slopes[1])
    moved = -rate(uphill)
    between = of_modes(*targets)
    wide = vectors.astype(float).T @ predictor.astype(float) @ vectors
    lengths = jnp.linalg.norm(wide, axis=0)
    floor = ROUND_OFF * jnp.finfo(predictor.dtype).eps * jnp.linalg.norm(wide)
    lengths = jnp.where(lengths > floor, lengths, jnp.nan)
    spread = jnp.linalg.eigvalsh(_moment(z[0], z[0]))
    lengths_of_z = jnp.sqrt(jnp.maximum(spread, 0))
    shares = lengths_of_z / lengths_of_z.sum()
    return Measured(
        variance=variance,
        vectors=vectors,
        noise1=of_modes(z[0], z[0]) - variance,
        noise2=of_modes(targets[1], targets[1]) - between,
        target_variance=between,
        predictor=jnp.diagonal(wide),
        drive=drive,
        moved=moved,
        gain=moved / (2 * drive),
        layers=rate(params) / (2 * variance),
        alignment=jnp.diagonal(wide) / lengths,
        first=z[0].astype(float) @ vectors,
        second=targets[1].astype(float) @ vectors,
        rankme=jnp.exp(-jnp.sum(shares * jnp.log(jnp.where(shares > 0, shares, 1)))),
        mean_share=jnp.sum(jnp.mean(z[0].astype(float), 0) ** 2) / spread.sum(),
    )


def _moment(first: Array, second: Array) -> Array:
    """E[first secondᵀ] (dimensions, dimensions), summed in float64."""
    return first.astype(float).T @ second.astype(float) / len(first)


def _in_modes(matrix: Array, vectors: Array) -> Array:
    return jnp.einsum("dm,de,em->m", vectors, matrix, vectors)


@partial(jax.jit, static_argnums=0)
def coupling(embed: Embed, params: Any, x1: Array, x2: Array, vectors: Array) -> Array:
    r"""How far every mode's drive moves every mode, K (modes, modes).

    K_mk = ∇θ(v_m/2)·∇θ(v_k/2)/v_k, v_m = u_mᵀ E[z1 z2ᵀ] u_m at fixed u, so that a drive
    δ_k = (G_k/v_k) z_k gives dv_m/dt = 2 Σ_k K_mk G_k. The diagonal is the tangent kernel along
    a mode's own function of the images, never negative; for a linear encoder K = diag(d).

    Source: Jacot et al. 2018.
    """

    def halves(weights: Any) -> Array:
        z1, z2 = embed(weights, x1), embed(weights, x2)
        basis = vectors.astype(z1.dtype)
        return jnp.mean((z1 @ basis) * (z2 @ basis), axis=0) / 2

    values, pull = jax.vjp(halves, params)
    rows = jax.vmap(lambda one: pull(one)[0])(jnp.eye(len(values), dtype=values.dtype))
    flat = jnp.concatenate(
        [leaf.reshape(len(values), -1).astype(float) for leaf in jax.tree.leaves(rows)], axis=1
    )
    return flat @ flat.T / (2 * values.astype(float))
