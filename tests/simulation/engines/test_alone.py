"""Claims about the sentence with which a run says how it ended."""

from types import SimpleNamespace

import numpy as np
import pytest

from eigendyn.results.trajectory import BATCH_STATUSES, Batch
from eigendyn.simulation.engines.alone import only_trajectory


def message_of(status, dtype="float64"):
    code = np.array([BATCH_STATUSES.index(status)], np.int8)
    values = np.ones((1, 1, 1, 2), dtype)
    batch = Batch(np.arange(2.0), values, code, np.ones(1, np.int32))
    program = SimpleNamespace(states=("singular_value",))
    return only_trajectory(batch, program, values[0, ..., 0], 1e-10).message


@pytest.mark.parametrize("status", BATCH_STATUSES)
def test_every_way_to_end_has_a_sentence_that_says_what_to_try(status):
    message = message_of(status)
    assert "{" not in message
    if status == "completed":
        assert message == ""
    else:
        assert "Try " in message
        assert message.endswith(".")


@pytest.mark.parametrize("status", ["inaccurate", "invalid-start"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_more_precision_is_advised_only_where_there_is_more(status, dtype):
    assert ("dtype='float64'" in message_of(status, dtype)) == (dtype == "float32")
