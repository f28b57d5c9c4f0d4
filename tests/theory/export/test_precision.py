"""Claims about exported losses in half precision: they are as exact as the numbers they are given.

The reference is the loss in float64, taken from its expression and not from its source. Predictors
are diagonal with powers of two, at least one, so that predictions are exact in every precision.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exported import LOSSES, arguments, by_hand, import_torch, load, made

from eigendyn.settings.choices import LOSS_NAMES, LOSS_ROWS
from eigendyn.theory.export import export_loss
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import named_loss

HALF = {"float16": np.dtype("float16"), "bfloat16": np.dtype(jnp.bfloat16)}
SCALES = (1e-4, 1e-2, 1.0, 1e2, 1e4)
EIGENVALUES = np.array([1.0, 2.0, 1.0, 2.0])
WRITTEN = {
    "-sum(lam**2*z1*sg(z2))/(norm(z1)*norm(z2))": "in the eigenbasis",
    "sum((lam*z1 - sg(z2))**2)/norm(sg(z2))**3": "a cube",
    "sum(z1*sg(z2))**4/(norm(z1)*norm(sg(z2)))**4": "fourth powers",
    "sum((lam*z1 - sg(z2))**2)/sum(z1**2 + sg(z2)**2)": "no norm",
}


def batch(scale, dtype, samples=5):
    """Views of a given size, as half precision holds them."""
    rng = np.random.default_rng(0)
    views = rng.normal(size=(2, samples, len(EIGENVALUES))).clip(-3, 3) * scale
    return views.astype(dtype)


def numpy_gradient(source, first, second):
    loss, gradient = load(source)
    predictor = np.diag(EIGENVALUES).astype(first.dtype)
    found = gradient(*arguments(gradient, first, second, predictor))
    value = loss(*arguments(loss, first, second, predictor))
    return value, found if isinstance(found, tuple) else (found,)


@cache
def compiled(source):
    loss, _ = load(source)

    def of_views(one, other):
        predictor = jnp.diag(jnp.asarray(EIGENVALUES, one.dtype))
        return loss(*arguments(loss, one, other, predictor))

    return jax.jit(jax.value_and_grad(of_views, argnums=(0, 1)))


def jax_gradient(source, first, second):
    return compiled(source)(first, second)


def torch_gradient(source, first, second):
    torch = import_torch()
    loss, _ = load(source)
    kind = getattr(torch, str(first.dtype))
    views = [torch.tensor(view.astype(np.float32)).to(kind) for view in (first, second)]
    views = [view.requires_grad_() for view in views]
    predictor = torch.diag(torch.tensor(EIGENVALUES)).to(kind)
    value = loss(*arguments(loss, *views, predictor))
    assert value.dtype == torch.float32
    found = torch.autograd.grad(value, views, allow_unused=True)
    return value.item(), [np.zeros(1) if g is None else g.float().numpy() for g in found]


def check(loss, run, dtype):
    source = export_loss(loss, run.__name__.removesuffix("_gradient"))
    with np.errstate(over="ignore"):  # of numbers beyond half precision, which are infinite there
        for scale in SCALES:
            first, second = batch(scale, dtype)
            exact = [view.astype(float) for view in (first, second)]
            value, slopes = by_hand(loss, *exact, np.eye(len(EIGENVALUES)), EIGENVALUES)
            found, gradients = run(source, first, second)
            np.testing.assert_allclose(float(found), value, rtol=1e-5, atol=1e-6)
            for one, wanted in zip(gradients, slopes, strict=False):
                near(np.asarray(one), wanted, dtype)


def near(found, wanted, dtype):
    """What is found is the right number, rounded to half precision a few times."""
    info = jnp.finfo(dtype)
    rounded = wanted.astype(dtype).astype(float)
    is_held = np.isfinite(rounded)
    allowed = 2 * float(info.eps) * np.abs(wanted[is_held]).max(initial=0)
    allowed += float(info.smallest_subnormal)
    assert np.abs(found.astype(float) - wanted)[is_held].max(initial=0) <= allowed


EVERY = [*LOSSES, *WRITTEN]
FEW = {"cosine", "iso-cosine", "designed", *list(WRITTEN)[1:3]}  # of libraries beside NumPy


@pytest.mark.parametrize(
    ("name", "run"),
    [
        pytest.param(
            *(name, run),
            id=f"{name[:40]}-{run.__name__}",
            marks=() if name in FEW or run is numpy_gradient else pytest.mark.full,
        )
        for name in EVERY
        for run in (numpy_gradient, jax_gradient, torch_gradient)
    ],
)
def test_half_precision_costs_the_rounding_of_its_numbers_only(name, run):
    for dtype in HALF.values():
        check(made(name), run, dtype)


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("dtype", HALF)
def test_iso_cosine_holds_with_many_dimensions(backend, dtype):
    """D = 2,048, where ‖p‖³‖z‖ overflows in float16, or vanishes."""
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(3, 4, 2048)).clip(-6, 6)
    for scale in SCALES:
        p, z, _ = exact = (numbers * scale).astype(HALF[dtype]).astype(float)
        p_norm, z_norm = (np.linalg.norm(x, axis=1, keepdims=True) for x in (p, z))
        overlap = np.sum(p * z, axis=1, keepdims=True) / (p_norm * z_norm)
        wanted = (overlap * p / p_norm - z / z_norm) / p_norm / len(p)
        found = gradient_of_iso_cosine(backend, exact, HALF[dtype])
        near(found, wanted, HALF[dtype])


def gradient_of_iso_cosine(backend, arrays, dtype):
    torch = import_torch() if backend == "torch" else None
    loss, gradient = load(export_loss(named_loss("iso-cosine"), backend))
    if backend == "numpy":
        return gradient(*(x.astype(dtype) for x in arrays))
    if backend == "jax":
        return np.asarray(jax.grad(loss, argnums=2)(*(jnp.asarray(x, dtype) for x in arrays)))
    p, z, z1 = (torch.tensor(x).to(getattr(torch, str(dtype))) for x in arrays)
    z1.requires_grad_()
    return torch.autograd.grad(loss(p, z, z1), z1)[0].float().numpy()


@pytest.mark.parametrize("name", LOSS_NAMES)
@pytest.mark.parametrize("beta", [None, 0.5])
def test_automatic_casting_does_not_reach_a_loss(name, beta):
    """With β the loss is computed in the eigenbasis, by products of matrices."""
    if beta is not None and not LOSS_ROWS[name].takes_beta:
        return
    source = export_loss(named_loss(name, beta=beta), "torch")
    torch = import_torch()
    loss, _ = load(source)
    first, second = batch(1.0, np.float32)
    views = [torch.tensor(view, requires_grad=True) for view in (first, second)]
    predictor = torch.diag(torch.tensor(EIGENVALUES, dtype=torch.float32))
    (plain,) = torch.autograd.grad(loss(*arguments(loss, *views, predictor)), views[:1])
    told = arguments(loss, *views, predictor)
    with torch.autocast("cpu", torch.bfloat16):
        cast = loss(*told)
    np.testing.assert_array_equal(torch.autograd.grad(cast, views[:1])[0], plain)


@pytest.mark.parametrize("run", [numpy_gradient, jax_gradient, torch_gradient])
@pytest.mark.parametrize("text", ["cosine", "iso-cosine", "norm(z1)**-3", "norm(z1 - z2)**-1"])
def test_a_row_of_zeros_has_no_finite_loss_but_with_eps(run, text):
    if run is numpy_gradient and text == "norm(z1 - z2)**-1":
        pytest.skip("gradients without automatic differentiation are multiplied out")
    loss = named_loss(text) if text in LOSS_NAMES else parse_loss(text)
    source = export_loss(loss, run.__name__.removesuffix("_gradient"))
    first, second = batch(1.0, np.float32)
    first[0] = second[0] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        value, gradients = run(source, first, second)
    assert not np.isfinite(value)
    lost = np.isnan(gradients[0][0])
    if run is torch_gradient:  # from 2.14 on a norm's gradient at zero is zero, times infinity too
        lost |= gradients[0][0] == 0
    assert lost.all()
    assert np.isfinite(gradients[0][1:]).all()
    value, gradients = run(source.replace("eps: float = 0.0", "eps: float = 1e-6"), first, second)
    assert np.isfinite(value)
    assert np.isfinite(gradients[0]).all()


def test_eps_changes_no_row_that_is_longer():
    first, second = batch(1.0, np.float64)
    loss, gradient = load(export_loss(named_loss("cosine"), "numpy"))
    told = arguments(gradient, first, second, np.diag(EIGENVALUES))
    np.testing.assert_array_equal(gradient(*told), gradient(*told, eps=1e-6))
    assert loss(*told[:2]) == loss(*told[:2], eps=1e-6)
