"""Claims about the examples of the reference: they print what stands there."""

import doctest
import inspect
from functools import cache
from operator import attrgetter

import matplotlib.pyplot as plt
import numpy as np
import pytest
from exported import import_torch
from public import public_names

import eigendyn

DEAR = (  # what trains networks, compiles much, or loads a large library
    "analysis.fold_curve",
    "audit",
    "crosscheck",
    "crosschecks.crosscheck_data",
    "data.digits",
    "diagnose",
    "explore",
    "fit",
    "matrix_flow",
    "network.descend",
    "plot.agreement",
    "plot.diagnosis",
    "plot.fit",
    "plot.phase_portrait",
    "plot.training",
    "recording.observe_in_jax",
    "simulation.flow",
    "train",
)
WITH_TORCH = ("recording.hook", "recording.lightning_callback")
NOT_RUN = {"crosschecks.crosscheck_all": "trains a thousand networks, which takes minutes"}


@cache
def examples():
    """By public name, what stands behind `>>>` in its docstring; tables have no docstring."""
    shown = {name: attrgetter(name)(eigendyn) for name in public_names()}
    read = doctest.DocTestParser().get_doctest
    return {
        name: read(inspect.getdoc(one), {"eigendyn": eigendyn, "np": np}, name, None, None)
        for name, one in shown.items()
        if callable(one)
    }


def is_begun_by(name, other):
    """Whether another example is this one, and goes on: it is then run with it."""
    mine, others = (
        [(line.source, line.want) for line in examples()[n].examples] for n in (name, other)
    )
    return len(mine) < len(others) and others[: len(mine)] == mine


def run(names, folder, monkeypatch):
    """Run examples, each in an empty folder."""
    runner = doctest.DocTestRunner(verbose=False)
    for name in names:
        if not any(is_begun_by(name, other) for other in names):
            (folder / name).mkdir()
            monkeypatch.chdir(folder / name)
            said = []
            failed, _ = runner.run(examples()[name], out=said.append)
            plt.close("all")
            assert not failed, "".join(said)


def test_every_public_name_has_an_example():
    assert [name for name, example in examples().items() if not example.examples] == []
    assert {*DEAR, *WITH_TORCH, *NOT_RUN} <= set(examples())


def test_examples_print_what_stands_there(tmp_path, monkeypatch):
    others = {*DEAR, *WITH_TORCH, *NOT_RUN}
    run([name for name in examples() if name not in others], tmp_path, monkeypatch)


@pytest.mark.full
def test_dear_examples_print_what_stands_there(tmp_path, monkeypatch):
    run(DEAR, tmp_path, monkeypatch)


@pytest.mark.full
def test_examples_with_pytorch_print_what_stands_there(tmp_path, monkeypatch):
    import_torch("lightning.pytorch")
    run(WITH_TORCH, tmp_path, monkeypatch)
