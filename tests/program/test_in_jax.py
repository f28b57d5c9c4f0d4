"""Claims about the compiled vector field."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.analysis.system import dynamical_system
from eigendyn.errors import OpenMoments
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_field
from eigendyn.simulation.nodes import fit_nodes
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import named_loss

PARAMETERS = {"sigma1": 0.2, "sigma2": 0.1, "weight_decay": 0.03}
S = np.sqrt(np.array([[0.05, 0.3, 1.0, 2.0]]))


def exact_field(name, accuracy=1e-10, **variant):
    dynamics = close(mode_dynamics(named_loss(name, **variant)))
    fit = fit_nodes(program_of(dynamics), S[None], PARAMETERS, accuracy)
    return replace(compile_field(dynamics), nodes=fit.nodes)


@pytest.fixture(scope="module", params=first_of("euclidean", "cosine"))
def field(request):
    return exact_field(request.param)


def test_open_dynamics_are_refused():
    with pytest.raises(OpenMoments, match="open moments"):
        compile_field(mode_dynamics(named_loss("cosine")))


def test_it_can_be_jitted_and_vmapped(field):
    one = field(0.0, jnp.asarray(S), PARAMETERS)
    np.testing.assert_allclose(jax.jit(field)(0.0, S, PARAMETERS), one, rtol=1e-13)
    batch = jnp.stack([S, 0.9 * S])
    many = jax.jit(jax.vmap(field, in_axes=(None, 0, None)))(0.0, batch, PARAMETERS)
    assert many.shape == (2, 1, 4)
    np.testing.assert_allclose(many[0], one, rtol=1e-12)


def test_it_can_be_differentiated_in_states_and_parameters(field):
    slopes = jax.jit(jax.jacfwd(lambda s: field(0.0, s, PARAMETERS)))
    jacobian = slopes(jnp.asarray(S))[0, :, 0]
    step = 1e-6
    rates = jax.jit(field)
    for mode in range(4):
        shift = np.zeros_like(S)
        shift[0, mode] = step
        difference = rates(0.0, S + shift, PARAMETERS) - rates(0.0, S - shift, PARAMETERS)
        np.testing.assert_allclose(jacobian[:, mode], difference[0] / (2 * step), atol=1e-8)
    by_parameter = jax.jit(jax.grad(lambda p: field(0.0, jnp.asarray(S), p).sum()))
    decay = by_parameter(PARAMETERS)["weight_decay"]
    assert decay == pytest.approx(-S.sum())


def test_reverse_mode_equals_forward_mode(field):
    states = jnp.asarray(S)
    forward = jax.jit(jax.jacfwd(lambda s: field(0.0, s, PARAMETERS)))(states)
    reverse = jax.jit(jax.jacrev(lambda s: field(0.0, s, PARAMETERS)))(states)
    np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-12)


def test_float64_is_the_default_and_float32_stays(field):
    assert field(0.0, jnp.asarray(S), PARAMETERS).dtype == jnp.float64
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), field)
    rates = single(0.0, jnp.asarray(S, jnp.float32), PARAMETERS)
    assert rates.dtype == jnp.float32
    np.testing.assert_allclose(rates, field(0.0, jnp.asarray(S), PARAMETERS), atol=2e-6)


@pytest.mark.parametrize("name", ["euclidean", "cosine"])
def test_code_does_not_grow_with_the_number_of_modes(name):
    field = exact_field(name, 1e-4)

    def size(modes):
        states = jnp.ones((1, modes))
        return str(jax.make_jaxpr(field)(0.0, states, PARAMETERS)).count(" = ")

    assert size(50) == size(2)


def test_rates_keep_their_mode_axis_when_they_are_constant():
    field = exact_field("euclidean", predictor=False)
    assert field(0.0, jnp.asarray(S), {**PARAMETERS, "sigma1": 0.0}).shape == (1, 4)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.5])
def test_a_singular_value_that_crosses_zero_stays_finite(alpha):
    field = compile_field(close(mode_dynamics(named_loss("iso-euclidean"), alpha)))
    states = jnp.array([[-0.5, 0.0, 0.5]])
    rates = field(0.0, states, PARAMETERS)[0]
    assert np.isfinite(rates).all()
    assert rates[0] == -rates[2]
    assert rates[1] == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"predictor": "running", "alpha": 0.3},
        {"predictor": "running", "alpha": 0.5},
        {"alpha": 0.25},
    ],
)
def test_derivatives_at_a_vanished_mode_are_their_limits(settings):
    system = dynamical_system("euclidean", 1, weight_decay=0.3, **settings)
    slopes = np.asarray(jax.jit(jax.jacfwd(system))(jnp.zeros(len(system.names))))
    np.testing.assert_allclose(slopes[0, 0], -0.3, rtol=1e-12)  # growth, λ = 0
    np.testing.assert_array_equal(slopes[0, 1:], 0)  # s ∂c^α/∂c with s = 0


@pytest.mark.full  # follows what the derivatives above are for
@pytest.mark.parametrize(
    "settings",
    [{"alpha": 0.25}, {"predictor": "running", "alpha": 0.3}],
)
def test_the_stiff_solver_finds_these_derivatives_and_leaves_a_vanished_mode_alone(settings):
    run = eigendyn.simulate(
        *("euclidean", [0.0, 0.3]),
        **{"method": "flow", "solver": "stiff", "steps": 300, **settings},
    )
    assert run.attrs["status"].startswith("completed")
    np.testing.assert_array_equal(run["variance"].values[0], 0)


def test_many_modes_need_little_memory():
    """Nodes × modes would be more than 120 MB in every intermediate array."""
    field, states = exact_field("cosine", 1e-4), np.full((1, 120_000), 0.7)
    assert len(field.nodes.weights) * states.nbytes > 120e6
    compiled = jax.jit(field).lower(0.0, states, PARAMETERS).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 60e6


@pytest.mark.full
def test_averaging_in_blocks_changes_nothing(monkeypatch):
    field = exact_field("cosine")
    whole = field(0.0, jnp.asarray(S), PARAMETERS)
    monkeypatch.setattr("eigendyn.program.in_jax.BLOCK", 64)
    blocks = field(0.0, jnp.asarray(S), PARAMETERS)
    np.testing.assert_allclose(blocks, whole, rtol=1e-12, atol=1e-15)
