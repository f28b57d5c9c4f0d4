"""Claims about equilibria over weight decay."""

import numpy as np
import pytest

from eigendyn.analysis.rates.decay import decay_equilibria

VARIANCES = np.linspace(0.01, 1.1, 60)


def test_the_euclidean_branch_folds_where_the_derivation_says():
    found = decay_equilibria("euclidean", VARIANCES, sigma1=0.3)
    assert found.attrs["fold"] == pytest.approx(1 / (4 * 1.09), rel=1e-10)
    assert found.attrs["fold_variance"] == pytest.approx(1 / (2 * 1.09), rel=1e-10)
    upper = found["variance"].values > found.attrs["fold_variance"]
    np.testing.assert_array_equal(found["stable"].values, upper)


def test_the_isotropic_branch_is_stable_and_ends_at_a_transcritical_point():
    found = decay_equilibria("iso-euclidean", VARIANCES, sigma1=0.3)
    assert found["stable"].values.all()
    assert np.isnan(found.attrs["fold"])
    assert found.attrs["at_zero"] == pytest.approx(1, rel=1e-10)
