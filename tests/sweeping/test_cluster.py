"""Claims about workers of dask: what comes out does not depend on them, nor on their lives."""

import os
import signal
from threading import Thread
from time import sleep

import dask.config
import numpy as np
import pytest
from sweeping.small import small_plan, stored

from eigendyn.errors import InvalidSetting
from eigendyn.sweeping.cluster import hired
from eigendyn.sweeping.work import work


def test_workers_here_and_a_scheduler_elsewhere_are_one_too_many():
    both = pytest.raises(InvalidSetting, match="Leave out one")
    with both, hired(2, "tcp://127.0.0.1:1"):
        pass


@pytest.mark.full
def test_a_scheduler_that_does_not_answer_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr("eigendyn.sweeping.cluster.PATIENCE", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense://a"):
        none = pytest.raises(InvalidSetting, match="dask scheduler that answers")
        with none, hired(None, address):
            pass
        assert dask.config.get("scheduler", None) is None  # which would compute all arrays from now


@pytest.mark.full
def test_a_worker_that_is_killed_loses_nothing_and_the_bits_are_the_same(tmp_path):
    alone, together = tmp_path / "alone.zarr", tmp_path / "together.zarr"
    plan = small_plan(learning_rate=np.linspace(0.05, 0.4, 20))
    work(plan, alone)
    with hired(2, None) as crew:
        victim = next(iter(crew.client.run(os.getpid).values()))

        def kill():
            while len(list(together.glob("chunks/done/c/*/*"))) < 5:
                sleep(0.001)
            os.kill(victim, signal.SIGKILL)

        killer = Thread(target=kill)
        killer.start()
        work(plan, together, crew=crew)
        killer.join()
        assert victim not in crew.client.run(os.getpid).values()
    assert stored(together) == stored(alone)
