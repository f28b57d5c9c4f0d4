r"""The isotropic cosine loss divides every mode's cosine dynamics by its own eigenvalue.

    δ_iso = δ/λ = z2/(‖λz1‖‖z2‖) − (Σ λ z1 z2) λ z1/(‖λz1‖³‖z2‖),   δ/λ^β for the family
    σ = 0:  δ_iso,m = 1/(‖λz‖³‖z‖) Σ_{k≠m} λ_k z_k² (λ_k − λ_m) z_m
    G_iso = G/λ

Both published forms of the loss give this direction: with the second term as a product with z1, and
as +½ SG(Σ λz1z2/(‖λz1‖³‖z2‖)) Σ λ z1².

Source: Halvagal et al. 2023, IsoLoss.
"""

import sympy as sp

from derivations.cosine import hand_integrand as hand_cosine_integrand
from derivations.page import Line, show
from derivations.tilted_gaussian import over_a_and_b
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, cosine, iso_cosine
from eigendyn.theory.symbols import (
    alpha,
    beta,
    lam,
    mode_sum,
    norm,
    stop_gradient,
    variance,
    z1,
    z2,
)


def hand_direction() -> sp.Expr:
    """Write δ_iso by hand."""
    prediction, target, overlap = norm(lam * z1), norm(z2), mode_sum(lam * z1 * z2)
    return z2 / (prediction * target) - overlap * lam * z1 / (prediction**3 * target)


def hand_loss() -> sp.Expr:
    """Write the other published form of the loss, by hand."""
    overlap = stop_gradient(mode_sum(lam * z1 * z2) / (norm(lam * z1) ** 3 * norm(z2)))
    target = stop_gradient(z2 / (norm(lam * z1) * norm(z2)))
    return -mode_sum(z1 * target) + overlap * mode_sum(lam * z1**2) / 2


def hand_direction_without_noise() -> sp.Expr:
    """Write δ_iso of two equal views by hand."""
    competition = mode_sum(lam**2 * z1**2) - lam * mode_sum(lam * z1**2)
    return competition * z1 / (norm(lam * z1) ** 3 * norm(z1))


def both_published_forms_have_one_gradient() -> list[Line]:
    """The direction is the plain one over the eigenvalue, from either form of the loss."""
    plain, iso = (descent_directions(loss)[0] for loss in (cosine(), iso_cosine()))
    other = SymbolicLoss("quadratic form", hand_loss())
    assert sym.equal(iso, hand_direction())
    assert sym.equal(iso, plain / lam)
    assert sym.equal(descent_directions(other)[0], iso)
    assert sym.equal(iso.xreplace({z2: z1}), hand_direction_without_noise())
    assert descent_directions(iso_cosine())[1] == descent_directions(other)[1] == 0
    return [
        ("loss", r"\ell", iso_cosine().expression),
        ("with the same gradient", r"\ell", hand_loss()),
        ("descent direction", r"\delta^\mathrm{iso}_m", iso),
        ("equal views", r"\delta^\mathrm{iso}_m", hand_direction_without_noise()),
    ]


def the_family_divides_by_a_power() -> list[Line]:
    """δ/λ^β for every real β, with λ = v^α."""
    eigenvalue = {lam: variance**alpha}
    family = descent_directions(cosine(beta))[0].xreplace(eigenvalue)
    plain = descent_directions(cosine())[0].xreplace(eigenvalue)
    iso = descent_directions(iso_cosine())[0].xreplace(eigenvalue)
    assert sym.equal(family, plain / variance ** (alpha * beta))
    assert sym.equal(family.subs(beta, 1), iso)
    return [("family", r"\delta^{(\beta)}_m", descent_directions(cosine(beta))[0])]


def so_does_the_expected_gradient() -> list[Line]:
    """The integrand over tilted Gaussians is the cosine loss's over the eigenvalue."""
    dynamics = close(mode_dynamics(iso_cosine(), alpha))
    (average,) = dynamics.rates[0].atoms(sym.Average)
    iso, _ = over_a_and_b(average, dynamics)
    assert sym.equal(iso, hand_cosine_integrand() / lam)
    return [("integrand", r"\frac{d^2 G^\mathrm{iso}_m}{da \, db}", sp.factor(iso))]


CLAIMS = (
    both_published_forms_have_one_gradient,
    the_family_divides_by_a_power,
    so_does_the_expected_gradient,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
