"""Claims about the text of a designed loss: every command takes it, and it is what was wanted."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from exported import RUN
from independent import cosine_moments
from structures import first_of

import eigendyn
from eigendyn.analysis.design import backwards, design_loss, design_multiplier
from eigendyn.cli.main import cli
from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.theory.export import export_loss
from eigendyn.theory.loss_writer import write_loss

MULTIPLIERS = {  # text, the same by hand
    "1": lambda v: 1 + 0 * v,
    "lam**0.5": np.sqrt,
    "sum(lam)/sum(1)": lambda v: v.mean() + 0 * v,
    "lam/(1 + lam)": lambda v: v / (1 + v),
    "(1 + lam)**6": lambda v: (1 + v) ** 6,
    "1 + lam + lam**2 + lam**3 + lam**4": lambda v: np.polyval([1, 1, 1, 1, 1], v),
    "(1 + lam)**3/(2 + sum(lam**2))": lambda v: (1 + v) ** 3 / (2 + (v**2).sum()),
}
START = np.array([0.05, 0.3, 1.0, 2.0])
TEXT = (  # of equal rates
    "sum((z1 - sg(z1 + z2/(norm(z2)*norm(lam*z1)) "
    "- lam*z1*sum(lam*z1*z2)/(norm(z2)*norm(lam*z1)**3)))**2)/2"
)


@pytest.fixture
def unchecked(monkeypatch):
    """Designs without the seconds in which they are compared with what was wanted."""
    monkeypatch.setattr(backwards, "_checked", lambda loss, *_: loss)


def rates_of(text, **settings):
    """(1/s) ds/dt at `START` by the exact closure, of a loss as it is read from text."""
    field, states, parameters = eigendyn.vector_field(
        eigendyn.parse_loss(text), START, closure="exact", **settings
    )
    return np.asarray(field(0.0, states, parameters)[0] / states[0])


@pytest.mark.parametrize(
    "multiplier", first_of("(1 + lam)**3/(2 + sum(lam**2))", *list(MULTIPLIERS)[:-1])
)
def test_a_text_designed_from_cosine_has_its_rates_times_the_multiplier(multiplier, unchecked):
    text = write_loss(design_multiplier("cosine", multiplier).expression)
    found = rates_of(text, sigma1=0.3, sigma2=0.5)
    plain = cosine_moments(START, START, 0.09, 0.25)[0] / START
    wanted = plain * MULTIPLIERS[multiplier](START) / START
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("multiplier", MULTIPLIERS)
@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_every_design_is_read_back(loss, multiplier, unchecked):
    designed = design_multiplier(loss, multiplier)
    assert eigendyn.parse_loss(write_loss(designed.expression)).expression == designed.expression


def test_the_text_of_equal_rates_is_this_one(unchecked):
    assert write_loss(design_multiplier("cosine", "1").expression) == TEXT


def test_what_is_too_long_to_be_read_back_is_not_designed():
    with pytest.raises(InvalidSetting, match="shorter"):
        design_loss("(1 - lam)**6*(2 + sum(lam) + sum(lam**2))**4")
    with pytest.raises(InvalidSetting, match="shorter"):
        design_multiplier("cosine", "(1 + lam)**6*(2 + sum(lam))**3/(1 + lam**2)**2")


@pytest.mark.parametrize("backend", RUN)
def test_its_export_has_the_gradient_of_cosine_over_the_eigenvalue(backend):
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, 5, 4))
    basis = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    eigenvalues = np.array([0.2, 0.5, 1.0, 2.0])

    def cosine(z1):
        p, z2 = z1 * eigenvalues, second @ basis
        ratios = (p * z2).sum(1) / jnp.linalg.norm(p, axis=1) / jnp.linalg.norm(z2, axis=1)
        return -ratios.mean()

    expected = (jax.grad(cosine)(first @ basis) / eigenvalues) @ basis.T
    source = export_loss(eigendyn.parse_loss(TEXT), backend)
    predictor = (basis * eigenvalues) @ basis.T
    _, found = RUN[backend](source, first, second, predictor)
    gradient = found if isinstance(found, np.ndarray) else found[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 4
    images = rng.normal(size=(4, 6, 6))[labels] + 0.3 * rng.normal(size=(40, 6, 6))
    np.savez("mine.npz", images=images, labels=labels)


def run(*arguments):
    outcome = CliRunner().invoke(cli, [*arguments, "--loss-expr", TEXT], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome.stdout


@pytest.mark.usefixtures("folder")
def test_simulate_takes_it_as_iso_cosine():
    start = ["--variances", "0.3,0.8,1.2", "--steps", "40", "--json", "-o"]
    told = json.loads(run("simulate", *start, "designed.nc"))
    named = ["simulate", "--loss", "iso-cosine", *start, "named.nc"]
    plain = json.loads(CliRunner().invoke(cli, named).stdout)
    assert told["variances_final"] == pytest.approx(plain["variances_final"], rel=1e-6)


@pytest.mark.full  # seconds of compilation; other written losses are trained in training/
@pytest.mark.usefixtures("folder")
def test_train_takes_it():
    small = (
        "--data mine.npz --network linear --embedding 4 --epochs 2 --batch 10 --augment noise:0.1"
    )
    told = json.loads(run("train", *small.split(), "--json"))
    assert TEXT in json.dumps(told)


@pytest.mark.parametrize(
    "command",
    [
        "derive",
        "export --backend numpy",
        pytest.param(
            "crosscheck --steps 20 --batch 200 --seeds 2 --saves 3", marks=pytest.mark.full
        ),
        pytest.param("diagnose --variances 0.3,0.8 --steps 20", marks=pytest.mark.full),
        pytest.param("phase --plot p.png", marks=pytest.mark.full),
    ],
)
@pytest.mark.usefixtures("folder")
def test_every_command_takes_it(command):
    assert run(*command.split())
