"""Claims about runs that are repeated until two agree."""

import numpy as np
import pytest

from eigendyn.results.trajectory import BATCH_STATUSES, Batch
from eigendyn.simulation.engines.until_agree import until_two_agree

RTOL, ATOL = 1e-10, 1e-12
SHARES = (0.05, 0.006, 0.0012, 0.0003)  # of the tolerances, from run to run


def judged(error):
    """What is found of a number 1 whose run errs by error(share) tolerances."""

    def run(starts, _numbers, rtol, _atol):
        values = 1 + np.full((1, 1, 1, 1), error(rtol / RTOL) * (RTOL + ATOL))
        return Batch(np.ones(1), values, np.zeros(1, np.int8), np.ones(1, np.int32))

    found = until_two_agree(run, np.ones((1, 1, 1)), {}, rtol=RTOL, atol=ATOL, shares=SHARES)
    away = abs(float(found.values.item()) - 1) / (RTOL + ATOL)
    return BATCH_STATUSES[found.status[0]], int(found.steps[0]), away


@pytest.mark.parametrize(("size", "runs"), [(10, 2), (300, 3), (1_000, 4)])
def test_errors_in_proportion_to_the_tolerances_are_extrapolated(size, runs):
    status, made, away = judged(lambda share: size * share)
    assert (status, made) == ("completed", runs)
    assert away < 1


@pytest.mark.parametrize(
    "error",
    [
        lambda share: 5_000 * share,  # 1.5 at the end
        lambda share: {0.05: 9, 0.006: 7, 0.0012: 5}.get(round(share, 6), 3),  # that hardly fall
        lambda share: {0.05: 0, 0.006: 60, 0.0012: 0}.get(round(share, 6), 4),  # to and fro
        lambda _: np.nan,
    ],
)
def test_errors_that_stay_above_the_tolerance_are_told(error):
    assert judged(error)[0] == "inaccurate"


def test_one_difference_alone_is_not_extrapolated():
    status, made, _ = judged(lambda share: {0.05: 2.0}.get(round(share, 6), 0))
    assert (status, made) == ("completed", 3)  # the third agrees with the second
