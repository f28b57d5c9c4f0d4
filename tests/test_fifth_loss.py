"""Claims about adding a loss: with the steps of CONTRIBUTING.md every command knows it."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import COMMANDS, cli
from eigendyn.crosschecks.systems import systems
from eigendyn.network import losses as of_networks
from eigendyn.settings.choices import LOSS_ROWS, LossRow
from eigendyn.theory import losses
from eigendyn.theory.symbols import lam, mode_sum, stop_gradient, z1, z2

NAME = "twice"
FEW = "--variances 0.05,0.3 --steps 40"
LINES = (
    "losses",
    f"derive {NAME}",
    f"export {NAME} --backend numpy",
    f"simulate {NAME} {FEW} -o run.nc --plot run.png",
    f"explore {NAME} -o page.html",
)
SLOW = (
    f"audit {NAME}",
    f"bifurcation {NAME} --slices 1 -o bifurcation.png",
    f"crosscheck {NAME} --modes 2 --inputs 3 --batch 64 --seeds 2 --steps 5 --plot check.png",
    f"design --loss {NAME} --multiplier 1",
    f"diagnose {NAME} {FEW} --plot diagnosis.png",
    f"fit run.nc --loss {NAME} --alpha 1",
    f"monitor run.nc --loss {NAME}",
    f"phase {NAME} -o phase.png",
    f"sweep {NAME} --weight-decay 0,0.1 {FEW}",
    f"train {NAME} --network linear --epochs 1 --saves 2 -o run.nc",
    "figures 7 --descent none --out figures",
    "figures recruitment --descent none --out figures",
)


def twice():
    """ℓ = Σ (λ z1 − SG z2)², twice the Euclidean loss."""
    return losses.SymbolicLoss(NAME, mode_sum((lam * z1 - stop_gradient(z2)) ** 2))


@pytest.fixture(autouse=True)
def fifth(monkeypatch, tmp_path):
    row = LossRow("two", "#009E73", is_quadratic=True)
    monkeypatch.setitem(LOSS_ROWS, NAME, row)
    monkeypatch.setitem(losses._BUILDERS, NAME, twice)
    batches = lambda z1, z2, predictor, stop: jnp.sum((predictor @ z1 - stop(z2)) ** 2, 0)  # noqa: E731
    monkeypatch.setitem(of_networks._LOSSES, NAME, batches)
    monkeypatch.chdir(tmp_path)


EVERY = [*LINES, *(pytest.param(line, marks=pytest.mark.full) for line in SLOW)]


@pytest.mark.parametrize("line", EVERY)
def test_every_command_knows_a_fifth_loss(line):
    if line.startswith(("fit", "monitor")):
        run = eigendyn.simulate(NAME, [0.05, 0.3], steps=40, saves=12)
        eigendyn.save(run, "run.nc")
    outcome = CliRunner().invoke(cli, line)
    assert outcome.exit_code in (0, 3) if line.startswith("crosscheck") else outcome.exit_code == 0
    assert all(Path(word).exists() for word in line.split() if word.endswith((".png", ".nc")))
    if line.startswith("figures"):
        caption = Path(f"figures/figure-{line.split()[1]}.txt").read_text("utf-8")
        assert NAME in caption


def test_every_command_is_among_them():
    takes_no_loss = {"data", "plot"}
    assert {line.split()[0] for line in (*LINES, *SLOW)} == set(COMMANDS) - takes_no_loss


def test_the_fifth_loss_is_as_fast_as_it_says():
    """dv/dt is twice that of the Euclidean loss, so that time runs twice as fast."""
    settings = {"steps": 400, "saves": 5}
    slow = eigendyn.simulate("euclidean", [0.05, 0.3], learning_rate=0.02, **settings)
    fast = eigendyn.simulate(NAME, [0.05, 0.3], learning_rate=0.01, **settings)
    np.testing.assert_allclose(fast["variance"], slow["variance"], rtol=1e-8)


def test_what_a_loss_does_not_have_is_refused_by_its_row():
    with pytest.raises(eigendyn.EigendynError, match="has no family"):
        eigendyn.simulate(NAME, beta=0.5)
    with pytest.raises(eigendyn.EigendynError, match="has no family"):
        eigendyn.named_loss(NAME, beta=0.5)


def test_it_is_cross_checked_with_every_predictor():
    names = {name for name, _ in systems()}
    own = {name for name in names if name.split(",")[0] == NAME}
    assert len(own) > 10
    assert {name.replace(NAME, "cosine") for name in own} <= names
