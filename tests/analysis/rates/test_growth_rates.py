"""Claims about growth rates."""

import numpy as np
import pytest
from structures import first_of

from eigendyn.analysis.rates.growth_rates import growth_rates, variance_rates
from eigendyn.errors import InvalidSpectrum

SPECTRA = [[0.05, 0.3, 1.0, 2.0], [0.1, 0.4, 0.9, 1.5]]


@pytest.mark.parametrize(("loss", "power"), [("euclidean", 1), ("iso-euclidean", 0)])
def test_euclidean_growth_rates_are_those_derived_by_hand(loss, power):
    spectra = np.array(SPECTRA)
    expected = 2 * spectra**power * (1 - 1.09 * spectra)
    np.testing.assert_allclose(growth_rates(loss, spectra, sigma1=0.3), expected, rtol=1e-12)


def test_cosine_rates_are_the_reference_values():
    """dv/dt = 2 G1 at the reference values for σ₂² = 0.01."""
    g1 = [0.001652777, 0.031540216, 0.049195066, -0.082388060]
    rates = variance_rates("cosine", SPECTRA, sigma2=0.1)[0]
    np.testing.assert_allclose(rates, 2 * np.array(g1), atol=5e-9)


def test_a_mode_at_zero_variance_takes_no_part():
    alone = variance_rates("cosine", [SPECTRA[0]])
    padded = variance_rates("cosine", [[*SPECTRA[0], 0.0, 0.0]])
    np.testing.assert_allclose(padded[:, :4], alone, rtol=1e-8)
    np.testing.assert_array_equal(padded[:, 4:], 0)


def test_the_isotropic_loss_takes_the_eigenvalue_off_the_rate():
    plain, iso = (growth_rates(loss, SPECTRA) for loss in ("cosine", "iso-cosine"))
    np.testing.assert_allclose(plain, iso * SPECTRA, rtol=1e-8)


@pytest.mark.parametrize("spectra", [[1.0, 2.0], [], [[0.0, 1.0]], [[-1.0, 1.0]]])
def test_what_has_no_growth_rate_is_refused(spectra):
    with pytest.raises(InvalidSpectrum):
        growth_rates("cosine", spectra)


@pytest.mark.parametrize(
    ("loss", "spectrum", "limit"),
    [
        ("iso-cosine", [1e-300, 0.3, 0.3], None),  # that of three modes: see the next claim
        ("iso-euclidean", [1e-300, 0.3], 2.0),
        ("euclidean", [1e-300, 0.3], 0.0),  # 2 v (1 − v)
        ("cosine", [1e-200, 0.3], 0.0),
    ],
)
def test_a_mode_out_of_the_range_of_numbers_grows_at_its_limit(loss, spectrum, limit):
    (rates,) = growth_rates(loss, [spectrum])
    if limit is None:
        limit = growth_rates(loss, [[1e-12, *spectrum[1:]]])[0, 0]
    assert rates[0] == pytest.approx(limit, rel=2e-5)


@pytest.mark.parametrize("smallest", first_of(1e-60, 1e-200, 1e-300))
def test_a_growth_rate_that_diverges_is_not_known_where_it_cannot_be_computed(smallest):
    """Under the isotropic cosine loss it grows with (ln v)² beside one other mode."""
    alone, beside = growth_rates("iso-cosine", [[smallest, 0.3], [1e-2, 0.3]])
    assert np.isnan(alone[0])
    assert alone[1] == pytest.approx(0, abs=1e-12)
    assert np.isfinite(beside).all()
