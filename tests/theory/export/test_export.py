"""Claims about exported losses: in every library they are the loss, and have its gradient."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exported import LOSSES, RUN, by_hand, made
from hypothesis import given, settings
from hypothesis import strategies as st
from structures import first_of

from eigendyn.errors import EigendynError, InvalidExpression, InvalidSetting, UnknownName
from eigendyn.settings.checks import one_spelling
from eigendyn.settings.choices import BACKENDS, LOSS_NAMES
from eigendyn.theory.export import export_loss
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import SymbolicLoss, named_loss
from eigendyn.theory.symbols import beta, lam, mode_sum

TEXTS = {
    "sum((lam*z1 - gamma*sg(z2))**2)/2": {"gamma": 0.7},
    "sum(sqrt(lam)*(z1 - sg(z2))**2)/2": {},  # in the eigenbasis
    "-sum(lam**2*z1*sg(z2))/(norm(z1)*norm(z2))": {},
    "sum((z1**2 - 1)**2)/4": {},  # not the same in every basis
    "sum(sqrt((lam*z1 - sg(z2))**2) + sqrt(z1**2)*sqrt(sg(z2)**2))": {},  # |…|, neither
    "sqrt(sum(z1*sg(z2))**2)/norm(1) + norm(norm(z1))": {},
    "(sum(lam*z1*sg(z2)) - sum(1)/3)**2 + sum(z1**2)/10": {},
    "sum((z1 - sg(z1 + z2*sum(lam)/sum(1) - lam*z1))**2)/2": {},
    "sum((lam*z1 - sg(z2))**2)/2 + np*sum(z1**2)": {"np": 0.5},  # the library's name
}


NAMES = [*LOSSES, *TEXTS]
BESIDE = {"jax": 3, "torch": 4}  # of these libraries each so many-th is always run, of NumPy all
EVERY = [
    pytest.param(
        *(name, backend),
        id=f"{name[:40]}-{backend}",
        marks=pytest.mark.full if place % BESIDE.get(backend, 1) else (),
    )
    for place, name in enumerate(NAMES)
    for backend in BACKENDS
]


def loss_of(name):
    return made(name, tuple(TEXTS.get(name, {}).items()))


def batch(seed, dtype=np.float64, samples=7, dimensions=4):
    """Views, and a predictor with its eigenbasis, in a random basis."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    eigenvalues = rng.uniform(0.2, 2, dimensions)
    views = rng.normal(size=(2, samples, dimensions))
    predictor = basis * eigenvalues @ basis.T
    return (*views.astype(dtype), predictor.astype(dtype), basis, eigenvalues)


@pytest.mark.parametrize(("name", "backend"), EVERY)
def test_it_has_the_value_and_the_gradient_of_the_loss(name, backend):
    loss = loss_of(name)
    for seed in range(3):
        first, second, predictor, basis, eigenvalues = batch(seed)
        value, slopes = by_hand(loss, first, second, basis, eigenvalues)
        found, gradient = RUN[backend](export_loss(loss, backend), first, second, predictor)
        np.testing.assert_allclose(found, value, rtol=1e-12)
        gradients = [gradient] if isinstance(gradient, np.ndarray) else gradient
        for one, wanted in zip(gradients, slopes, strict=False):
            np.testing.assert_allclose(one, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())


def published_euclidean(z1, z, predictor, lib):
    """Halvagal et al. 2023, IsoLoss: ½‖z1 − SG(z + z1 − W_P z1)‖²."""
    target = lib.stop(z + z1 - z1 @ predictor)
    return lib.sum((z1 - target) ** 2) / (2 * len(z1))


def other_euclidean(z1, z, predictor, lib):
    """The same gradient: −z1·SG(z) + ½ z1ᵀ W_P z1."""
    return lib.sum(-z1 * lib.stop(z) + z1 * (z1 @ predictor) / 2) / len(z1)


def published_cosine(z1, z, predictor, lib):
    """Halvagal et al. 2023, IsoLoss: −z1·SG[z/(‖p‖‖z‖) − (p·z) p/(‖p‖³‖z‖)]."""
    p = z1 @ predictor
    p_norm, z_norm = lib.norm(p), lib.norm(z)
    direction = z / (p_norm * z_norm) - lib.rows(p * z) * p / (p_norm**3 * z_norm)
    return lib.sum(-z1 * lib.stop(direction)) / len(z1)


def other_cosine(z1, z, predictor, lib):
    """Its other form: −z1·SG[z/(‖p‖‖z‖)] + ½ SG(p·z/(‖p‖³‖z‖)) ‖W_P^½ z1‖²."""
    p = z1 @ predictor
    p_norm, z_norm = lib.norm(p), lib.norm(z)
    factor = lib.stop(lib.rows(p * z) / (p_norm**3 * z_norm))
    return lib.sum(
        -z1 * lib.stop(z / (p_norm * z_norm)) + factor * z1 * (z1 @ predictor) / 2
    ) / len(z1)


class Jax:
    stop = staticmethod(jax.lax.stop_gradient)
    sum = staticmethod(jnp.sum)
    rows = staticmethod(lambda x: jnp.sum(x, axis=1, keepdims=True))
    norm = staticmethod(lambda x: jnp.linalg.norm(x, axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("iso-euclidean", published_euclidean),
        ("iso-cosine", published_cosine),
        pytest.param("iso-euclidean", other_euclidean, marks=pytest.mark.full),
        pytest.param("iso-cosine", other_cosine, marks=pytest.mark.full),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "error"), first_of((np.float64, 1e-12), (np.float32, 1e-6)))
def test_iso_losses_have_the_gradient_of_the_published_ones(name, published, backend, dtype, error):
    source = export_loss(named_loss(name), backend)
    gradient = jax.jit(jax.grad(lambda *views: published(*views, Jax)))
    for seed in range(5):
        first, second, predictor, _, _ = batch(seed, samples=16, dimensions=8)
        wanted = np.asarray(gradient(first, second, predictor))
        single = [part.astype(dtype) for part in (first, second, predictor)]
        _, found = RUN[backend](source, *single)
        one = np.asarray(found if isinstance(found, np.ndarray) else found[0])
        assert one.dtype == dtype
        assert np.abs(one - wanted).max() < error * np.abs(wanted).max()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_source_is_clean_and_imports_one_library_only(backend, tmp_path):
    for index, loss in enumerate(map(loss_of, NAMES)):
        source = export_loss(loss, backend)
        (tmp_path / f"loss_{index}.py").write_text(source, encoding="utf-8")
        modules = {line.split()[1].split(".")[0] for line in source.splitlines()[:2] if line}
        assert modules == {backend}
        assert "eigendyn" not in source.split('"""')[0]
        if loss.name.split(",")[0] in LOSS_NAMES and "multiplier" not in loss.name:
            assert max(map(len, source.splitlines())) <= 100
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F,W,I", str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.floats())
def test_a_parameter_never_becomes_code(name, value):
    try:
        loss = parse_loss("sum((lam*z1 - sg(z2))**2)/2", {name: value})
        source = export_loss(loss, "numpy")
    except EigendynError:
        return
    compile(source, "exported", "exec")
    assert one_spelling(name).isidentifier()


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(UnknownName, match="tensorflow"):
        export_loss(named_loss("cosine"), "tensorflow")
    with pytest.raises(InvalidSetting, match="must depend on z1 or z2"):
        export_loss(SymbolicLoss("nothing", mode_sum(lam)), "torch")
    with pytest.raises(InvalidExpression, match="numbers first"):
        export_loss(named_loss("cosine", beta=beta), "torch")
