"""Claims about what is said of the modes of a training."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from trained import trained

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.show.report.training_modes import summary, table, verdicts

DECAY = 0.01  # with four layers it takes 0.08 off a growth rate


@pytest.fixture
def dataset():
    """Four modes that are learned, and two whose growth rates are set by hand."""
    made = trained(modes=6, seeds=3, weight_decay=DECAY)
    made["variance"][:, 4:] = [[0.01], [0.01]]
    made["growth_rate"][:, 4:] = 0.0
    return made


def set_rate(dataset, mode, rate):
    """The same in all seeds but for a thousandth."""
    dataset["growth_rate"][:, mode] = rate + 1e-3 * np.array([-1, 0, 1])[:, None]


@pytest.mark.parametrize(
    ("rate", "cause"), [(0.05, "slow"), (-0.05, "decay"), (-0.2, "loss"), (0.0, "not told")]
)
def test_a_mode_that_was_not_learned_has_a_cause_in_its_growth_rate(dataset, rate, cause):
    set_rate(dataset, 4, rate)
    found = verdicts(dataset)
    assert [one["verdict"] for one in found[:4]] == ["learned"] * 4
    assert (found[4]["verdict"], found[4]["cause"]) == ("not learned", cause)
    assert found[4]["growth_rate_without_decay"].value == pytest.approx(rate + 2 * DECAY * 4)


def test_a_mode_that_was_large_from_the_start_was_not_learned_but_kept(dataset):
    dataset["variance"][:, 0] = 1.0
    assert verdicts(dataset)[0]["verdict"] == "kept"


def test_a_mode_that_ends_small_and_ten_times_as_large_as_it_began_has_grown(dataset):
    dataset["variance"][:, 4, 0] = 1e-4
    assert verdicts(dataset)[4]["verdict"] == "grown"


def test_diverged_seeds_are_left_out_and_of_none_nothing_is_known():
    shown = table(trained(diverged=(1,)))
    assert "1 of 3 seeds diverged, at epoch 10; they are left out." in shown
    none = summary(trained(diverged=(0, 1, 2)))
    assert {one["verdict"] for one in none["modes"]} == {"not known"}
    json.dumps(none, allow_nan=False)


def test_the_command_reads_a_training_and_refuses_what_belongs_to_runs_of_the_theory(
    dataset, tmp_path
):
    set_rate(dataset, 4, -0.05)
    path = eigendyn.save(dataset, tmp_path / "run.nc")
    outcome = CliRunner().invoke(cli, f"diagnose --training {path}")
    assert outcome.exit_code == 0, outcome.stderr
    assert "4 learned, 2 not learned." in outcome.stdout
    assert "1 decay: it would grow without weight decay, and shrinks with it." in outcome.stdout
    refused = CliRunner().invoke(cli, f"diagnose --training {path} --loss cosine")
    assert refused.exit_code == 2
    assert "--training has its loss and start in the file; --loss" in refused.stderr
