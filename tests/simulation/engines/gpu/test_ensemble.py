"""Claims about the ensemble kernel, interpreted on the CPU, and its lowering for CUDA.

Every agreement is with SciPy: another method, another controller, another loop.
"""

from dataclasses import replace
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from followed import followed
from structures import first_of

import eigendyn
from eigendyn.errors import DeviceUnavailable, InvalidSetting, UnknownName
from eigendyn.results.trajectory import BATCH_STATUSES
from eigendyn.simulation.engines.gpu import ensemble as kernel
from eigendyn.simulation.engines.gpu import reductions
from eigendyn.simulation.engines.gpu.ensemble import kernel_ensemble
from eigendyn.simulation.engines.gpu.tile import tile_at
from eigendyn.theory import symbols as sym
from eigendyn.theory.losses import SymbolicLoss
from eigendyn.theory.symbols import mode_sum

RTOL, ATOL = 1e-6, 1e-9
TIMES = np.linspace(0, 12, 9)
MEAN_FIELD = {"closure": "mean-field"}


def spectra(trajectories, modes, seed=0):
    draws = np.random.default_rng(seed).uniform(np.log(0.03), np.log(3), (trajectories, modes))
    return np.exp(draws)


def solve(field, starts, parameters, **options):
    return kernel_ensemble(
        field, starts, TIMES, parameters, **{"rtol": RTOL, "atol": ATOL, "block": 2} | options
    )


def reference(loss, variances, **settings):
    """Values (trajectories, states, modes, times) of SciPy at a relative 1e-12."""
    settings = {"learning_rate": 0.1, "steps": 120, "saves": len(TIMES)} | settings
    return np.array([list(followed(loss, one, **settings).values()) for one in variances])


def excess(batch, expected, rtol=RTOL, atol=ATOL):
    return np.max(np.abs(batch.values - expected) / (10 * (atol + rtol * np.abs(expected))))


def own_loss():
    """A loss outside the table of losses, rational in λ."""
    first, second = sym.z1, sym.stop_gradient(sym.z2)
    return SymbolicLoss("own", mode_sum((sym.lam * first - second) ** 2 / (2 + sym.lam)))


# Later ones compile Triton while lowering, which needs their CUDA plugin.
lowers_here = pytest.mark.skipif(
    version("jaxlib") != "0.10.2", reason="lowering without CUDA is known of jaxlib 0.10.2 only"
)
LEARNED = MEAN_FIELD | {"predictor": "learned", "target": "ema", "momentum": 0.3}
CASES = {
    "euclidean": ("euclidean", {}, 3),
    "cosine": ("cosine", MEAN_FIELD, 3),
    "learned predictor, averaged target": ("cosine", LEARNED, 3),
    "exact cosine": ("cosine", {"closure_accuracy": 1e-4}, 2),
    "sampled cosine": ("cosine", {"closure": "sampled", "samples": 40}, 3),
    "a loss of one's own": (own_loss(), MEAN_FIELD, 3),
}

FEW = {"learned predictor, averaged target"}
SOME = [pytest.param(name, marks=() if name in FEW else pytest.mark.full) for name in CASES]


@pytest.mark.full
@pytest.mark.parametrize("name", ["learned predictor, averaged target", "exact cosine"])
def test_the_kernel_agrees_with_another_method(name):
    loss, settings, modes = CASES[name]
    v = spectra(3, modes)
    field, starts, parameters = eigendyn.vector_field(loss, v, **settings)
    batch = solve(field, starts, parameters)
    assert {BATCH_STATUSES[one] for one in batch.status} == {"completed"}
    np.testing.assert_array_equal(batch.values[..., 0], starts)
    assert excess(batch, reference(loss, v, **settings)) < 1


@pytest.mark.parametrize("modes", first_of(3, 5))
def test_modes_that_fill_up_a_tile_change_nothing(modes):
    """A copied predictor has sums over the modes, and the largest of them."""
    settings = MEAN_FIELD | {"predictor": "copy"}
    v = spectra(2, modes)
    field, starts, parameters = eigendyn.vector_field("cosine", v, **settings)
    assert excess(solve(field, starts, parameters), reference("cosine", v, **settings)) < 1


def test_a_constant_inside_a_sum_is_counted_for_the_modes_there_are():
    """At v = 0 a summand 1/(1 + s²) is 1, so that sums over a tile of four would be off by one."""
    modes = reductions_over_three()
    full = jnp.asarray([[1.0, 2.0, 3.0, 1.0]])
    np.testing.assert_allclose(modes.total(1 / (1 + full)), [[1 / 2 + 1 / 3 + 1 / 4]])
    np.testing.assert_allclose(modes.total(full.at[0, 3].set(jnp.nan)), [[6.0]])
    np.testing.assert_allclose(modes.total(jnp.asarray([[2.0]])), [[6.0]])
    assert modes.count == 3


def reductions_over_three():
    return tile_at(jnp.int32(0), 1, 1, 3).counted()


@pytest.mark.full  # as the doubles above
def test_float32_is_as_accurate_as_it_was_asked_to_be():
    v = spectra(3, 3)
    field, starts, parameters = eigendyn.vector_field("cosine", v, dtype="float32", **MEAN_FIELD)
    batch = solve(field, starts, parameters, rtol=1e-4, atol=1e-6)
    assert batch.values.dtype == np.float32
    assert excess(batch, reference("cosine", v, **MEAN_FIELD), 1e-4, 1e-6) < 1


@pytest.fixture(scope="module")
def ensemble():
    return eigendyn.vector_field("cosine", spectra(5, 3), **MEAN_FIELD)


@pytest.fixture(scope="module")
def whole(ensemble):
    return solve(*ensemble)


@pytest.mark.parametrize("options", first_of({"memory": 2500}, {"block": 1}, {"block": 8}))
def test_results_depend_neither_on_block_nor_on_chunk(ensemble, whole, options):
    other = solve(*ensemble, **options)
    np.testing.assert_allclose(other.values, whole.values, rtol=1e-13)
    np.testing.assert_array_equal(other.steps, whole.steps)


def test_results_do_not_depend_on_the_order(ensemble, whole):
    field, starts, parameters = ensemble
    order = [3, 0, 4, 1, 2]
    other = solve(field, starts[order], parameters)
    np.testing.assert_array_equal(other.values, whole.values[order])
    np.testing.assert_array_equal(other.steps, whole.steps[order])


@pytest.mark.parametrize(
    ("bad", "keep"),
    first_of((np.nan, "trajectory"), (np.inf, "final"), (-0.1, "extrema")),
)
def test_an_invalid_start_is_skipped_and_touches_no_neighbour(ensemble, bad, keep):
    field, starts, parameters = ensemble
    spoilt = starts.copy()
    spoilt[2, 0, 1] = bad
    healthy, batch = (solve(field, s, parameters, keep=keep) for s in (starts, spoilt))
    assert BATCH_STATUSES[batch.status[2]] == "invalid-start"
    assert batch.steps[2] == 0
    assert np.isnan(batch.values[2]).all()
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(batch.values[others], healthy.values[others])
    np.testing.assert_array_equal(batch.status[others], 0)


def test_a_parameter_that_is_not_finite_spoils_its_trajectory_alone(ensemble, whole):
    field, starts, parameters = ensemble
    sweep = parameters | {"sigma2": np.where(np.arange(5) == 1, np.nan, parameters["sigma2"])}
    batch = solve(field, starts, sweep)
    assert [BATCH_STATUSES[s] for s in batch.status].count("invalid-start") == 1
    others = [0, 2, 3, 4]
    np.testing.assert_array_equal(batch.values[others], whole.values[others])


@pytest.mark.full  # one number of a sweep spoils no other in the test above
def test_each_trajectory_has_its_own_parameters():
    v = spectra(3, 2)
    field, starts, parameters = eigendyn.vector_field("euclidean", v)
    decays = np.array([0.0, 0.05, 0.2])
    batch = solve(field, starts, parameters | {"weight_decay": decays})
    for number, decay in enumerate(decays):
        alone = reference("euclidean", v[[number]], weight_decay=float(decay))
        one = replace(batch, values=batch.values[[number]])
        assert excess(one, alone) < 1


def test_running_out_of_steps_is_told_per_trajectory(ensemble, whole):
    limit = int(np.sort(whole.steps)[2])
    batch = solve(*ensemble, max_steps=limit)
    ended = whole.steps <= limit
    assert ended.any()
    assert not ended.all()
    np.testing.assert_array_equal(batch.status == BATCH_STATUSES.index("completed"), ended)
    assert {BATCH_STATUSES[one] for one in batch.status[~ended]} == {"out-of-steps"}
    np.testing.assert_array_equal(batch.values[ended], whole.values[ended])
    assert np.isnan(batch.values[~ended][..., -1]).all()
    kept = np.isfinite(batch.values)
    np.testing.assert_array_equal(batch.values[kept], whole.values[kept])


def test_a_singular_value_that_becomes_infinite_has_diverged():
    """Its ds/dt = 6 s³ is infinite at t = 1/(12 s₀²), between the first two saved times."""
    loss = SymbolicLoss("explosive", -mode_sum(sym.z1**2 * sym.stop_gradient(sym.z1**2)))
    field, starts, parameters = eigendyn.vector_field(loss, [[1.0], [1e-4]], **MEAN_FIELD)
    batch = solve(field, starts, parameters)
    assert [BATCH_STATUSES[one] for one in batch.status] == ["diverged", "completed"]
    assert np.isfinite(batch.values[1]).all()
    assert np.isnan(batch.values[0, ..., -1]).all()


def test_the_end_is_the_last_of_the_trajectory(ensemble, whole):
    batch = solve(*ensemble, keep="final")
    assert batch.values.shape == (5, 1, 3, 1)
    np.testing.assert_allclose(batch.values, whole.values[..., -1:], rtol=1e-13)
    np.testing.assert_array_equal(batch.times, TIMES[-1:])


def test_extrema_are_those_of_the_trajectory(ensemble, whole):
    batch = solve(*ensemble, keep="extrema")
    expected = np.stack([whole.values.min(axis=-1), whole.values.max(axis=-1)], axis=-1)
    np.testing.assert_allclose(batch.values, expected, rtol=1e-13)


def test_an_empty_ensemble_has_no_results(ensemble):
    field, starts, parameters = ensemble
    batch = solve(field, starts[:0], parameters)
    assert batch.values.shape == (0, 1, 3, len(TIMES))
    assert batch.status.shape == batch.steps.shape == (0,)


def test_what_cannot_be_is_refused_in_a_sentence(ensemble):
    field, starts, parameters = ensemble
    with pytest.raises(InvalidSetting, match="at least 1e-06 in float32"):
        solve(field, starts.astype(np.float32), parameters, rtol=1e-7)
    with pytest.raises(InvalidSetting, match="power of two, not 3"):
        solve(field, starts, parameters, block=3)
    with pytest.raises(InvalidSetting, match="must hold one block of 2 trajectories"):
        solve(field, starts, parameters, memory=100)
    with pytest.raises(UnknownName, match="Did you mean 'final'"):
        solve(field, starts, parameters, keep="finale")
    with pytest.raises(InvalidSetting, match="increasing"):
        kernel_ensemble(field, starts, TIMES[::-1], parameters, rtol=RTOL, atol=ATOL)


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")
def test_an_absent_gpu_is_said_to_be_absent(ensemble):
    with pytest.raises(DeviceUnavailable, match="No CUDA backend"):
        solve(*ensemble, device="cuda")


def lowered(field, starts, parameters, keep):
    """Text of the program for CUDA, which holds the kernel in Triton's representation."""
    dtype = starts.dtype.name
    shared = kernel._shared(field, TIMES, RTOL, ATOL, 100, dtype)
    count = len(starts)
    numbers = {n: np.full(count, parameters[n], dtype) for n in field.parameters}
    ((_, read),) = kernel._chunks(starts, numbers, shared, count)
    reduction = reductions.REDUCTIONS[keep]
    bare = replace(field, nodes=kernel.NO_NODES)
    traced = kernel.launch.trace(bare, read, reduction, block=4, interpret=False)
    return traced.lower(lowering_platforms=("cuda",)).as_text()


@lowers_here
@pytest.mark.parametrize("dtype", first_of("float64", "float32"))
@pytest.mark.parametrize("keep", reductions.REDUCTIONS)
def test_every_reduction_lowers_for_cuda(dtype, keep):
    field, starts, parameters = eigendyn.vector_field(
        "cosine", spectra(5, 3), dtype=dtype, **MEAN_FIELD
    )
    assert "triton" in lowered(field, starts, parameters, keep)


@lowers_here
@pytest.mark.parametrize("dtype", first_of("float64", "float32"))
@pytest.mark.parametrize("name", SOME)
def test_every_dynamics_lowers_for_cuda(dtype, name):
    loss, settings, modes = CASES[name]
    field, starts, parameters = eigendyn.vector_field(
        loss, spectra(5, modes), dtype=dtype, **settings
    )
    assert "triton" in lowered(field, starts, parameters, "trajectory")
