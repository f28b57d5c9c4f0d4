"""Claims about the sentence with which a run says how it ended."""

from types import SimpleNamespace

import numpy as np
import pytest

from eigendyn.integrate.alone import only_trajectory
from eigendyn.trajectory import BATCH_STATUSES, Batch


@pytest.mark.parametrize("status", ["inaccurate", "invalid-start"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_more_precision_is_advised_only_where_there_is_more(status, dtype):
    code = np.array([BATCH_STATUSES.index(status)], np.int8)
    values = np.ones((1, 1, 1, 2), dtype)
    batch = Batch(np.arange(2.0), values, code, np.ones(1, np.int32))
    program = SimpleNamespace(states=("singular_value",))
    message = only_trajectory(batch, program, values[0, ..., 0], 1e-10).message
    assert ("--dtype float64" in message) == (dtype == "float32")
    assert message.endswith(".")
    assert "{" not in message
