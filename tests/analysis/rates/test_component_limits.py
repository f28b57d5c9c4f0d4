"""Claims about what becomes of components: closed forms are those of simulated runs."""

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.analysis import component_limits
from eigendyn.errors import EigendynError, NoClosedForm

SIGNAL, NOISE = np.array([2.0, 1.0, 0.5, 0.25]), np.array([0.05, 0.4, 0.02, 0.3])
DATA = {"signal": SIGNAL, "noise1": NOISE, "noise2": 0.1}
CASES = [  # loss, α, correlation
    ("euclidean", 1.0, "clean"),
    ("euclidean", 0.5, "weights"),
    ("euclidean", 2.0, "first-view"),
    ("iso-euclidean", 1.0, "first-view"),
    ("iso-euclidean", 0.5, "clean"),
    ("iso-euclidean", 2.0, "weights"),
]
EVERY = pytest.mark.parametrize(("loss", "alpha", "correlation"), CASES)
ALPHAS = [*first_of(CASES[1], CASES[0]), CASES[4]]
LONG = {"learning_rate": 10.0, "steps": 1000, "saves": 2, "method": "compiled"}  # time 10,000


def share(correlation):
    return {"clean": SIGNAL / SIGNAL, "first-view": 1 + NOISE / SIGNAL, "weights": 1 / SIGNAL}[
        correlation
    ]


def end(loss, start, **settings):
    """Variances at the end of a long run of the flow."""
    return eigendyn.simulate(loss, start, **LONG, **settings)["variance"].values[:, -1]


def alone(loss, start, decays, **settings):
    """Variances at the end, of the first component under the first weight decay, and so on."""
    several = np.broadcast_to(start, (4, 4))
    sweep = {"weight_decay": decays}
    runs = eigendyn.ensemble(
        loss, several, times=[0.0, 1e4], sweep=sweep, engine="compiled", **settings
    )
    return SIGNAL * np.diagonal(runs["singular_value"].values[..., -1]) ** 2


def bisect(is_low, low, high, halvings=13):
    """Where a property of every component (components,) ends, between two logarithms."""
    low, high = np.full(4, np.log(low)), np.full(4, np.log(high))
    for _ in range(halvings):
        middle = (low + high) / 2
        below = is_low(np.exp(middle))
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.exp(low)


@EVERY
def test_components_come_to_rest_where_runs_end(loss, alpha, correlation):
    settings = {**DATA, "alpha": alpha, "correlation": correlation, "weight_decay": 0.01}
    found = component_limits(loss, np.full(4, 0.5), **settings)
    assert found["learned"].all()
    np.testing.assert_allclose(found["variance"], end(loss, np.full(4, 0.5), **settings), rtol=1e-8)
    root = found["predictor_eigenvalue"] ** (1 / alpha)
    np.testing.assert_allclose(found["variance"], root / share(correlation))


@pytest.mark.parametrize(("loss", "alpha", "correlation"), ALPHAS)
def test_the_largest_weight_decay_is_where_runs_of_one_component_after_another_die(
    loss, alpha, correlation
):
    """From above under the plain loss; from a tiny start, which must grow, under the other one."""
    settings = {**DATA, "alpha": alpha, "correlation": correlation}
    plain = loss == "euclidean"
    start = (SIGNAL / (SIGNAL + NOISE)) ** (1 / alpha) / share(correlation) if plain else 1e-12

    def lives(decays):
        left = alone(loss, start, decays, **settings)
        return left > (1e-3 * start if plain else start)

    expected = component_limits(loss, **settings)["largest_weight_decay"]
    np.testing.assert_allclose(bisect(lives, 1e-2, 3.0), expected, rtol=1e-3)
    by_hand = SIGNAL**2 / (4 * (SIGNAL + NOISE)) if plain else SIGNAL
    np.testing.assert_allclose(expected, by_hand)


@pytest.mark.parametrize(("loss", "alpha", "correlation"), first_of(CASES[1], CASES[0], CASES[2]))
def test_a_component_that_starts_below_the_threshold_is_forgotten(loss, alpha, correlation):
    settings = {**DATA, "alpha": alpha, "correlation": correlation, "weight_decay": 0.02}
    forgotten = lambda start: end(loss, start, **settings) < 0.5 * start  # noqa: E731
    expected = component_limits(loss, **settings)["threshold_variance"]
    np.testing.assert_allclose(bisect(forgotten, 1e-7, 2.0, 18), expected, rtol=1e-4)
    for factor, learned in ((0.999, False), (1.001, True)):
        found = component_limits(loss, factor * expected, **settings)
        assert (found["learned"] == learned).all()
        assert (np.isnan(found["recruitment_time"]) != learned).all()


@pytest.mark.parametrize("scale", first_of(0.1, 0.7))  # of λ*: below and above half of it
def test_a_start_lives_up_to_its_own_weight_decay(scale):
    start = (scale * SIGNAL / (SIGNAL + NOISE)) ** 2 / share("weights")
    settings = {**DATA, "alpha": 0.5, "correlation": "weights"}

    def lives(decays):
        return alone("euclidean", start, decays, **settings) > 1e-3 * start

    found = component_limits("euclidean", start, **settings)["largest_weight_decay_of_start"]
    np.testing.assert_allclose(bisect(lives, 1e-3, 1.0), found, rtol=2e-3)


@EVERY
@pytest.mark.parametrize("decay", [0.0, 0.003])
def test_components_are_recruited_when_runs_say(loss, alpha, correlation, decay):
    """From below and, the last one, from above."""
    start = np.array([0.02, 0.04, 0.3, 50.0]) ** min(1, 1 / alpha)
    settings = {**DATA, "alpha": alpha, "correlation": correlation, "weight_decay": decay}
    found = component_limits(loss, start, **settings)
    run = eigendyn.simulate(
        loss, start, method="compiled", learning_rate=1.0, steps=600, **settings
    )
    np.testing.assert_allclose(found["recruitment_time"], run["recruitment_time"], rtol=1e-6)
    assert (found["recruitment_time"] > 0).all() and np.isnan(found["small_start_time"][-1])


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_small_starts_of_the_plain_loss_take_the_inverse_of_signal_and_eigenvalue(alpha):
    """Time tends to 1/(2αdλ₀), with a correction of order λ₀ ln(1/λ₀)."""
    eigenvalue = 1e-4
    start = np.full(4, eigenvalue ** (1 / alpha))
    settings = {"alpha": alpha, "learning_rate": 1e2, "steps": 1000, "method": "compiled"}
    runs = [  # one by one: recruited ones are at rest for as long as the others take
        eigendyn.simulate("euclidean", start[:1], signal=d, noise1=a, **settings)
        for d, a in zip(SIGNAL, NOISE, strict=True)
    ]
    assert {run.attrs["status"] for run in runs} == {"completed"}
    times = [float(run["recruitment_time"][0]) for run in runs]
    leading = 1 / (2 * alpha * SIGNAL * eigenvalue)
    np.testing.assert_allclose(times, leading, rtol=5e-3)
    found = component_limits("euclidean", start, alpha=alpha, **DATA)
    np.testing.assert_allclose(found["small_start_time"], leading, rtol=1e-12)
    np.testing.assert_allclose(found["recruitment_time"], times, rtol=1e-7)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_small_starts_of_the_isotropic_loss_take_a_logarithm(alpha, decay):
    """And what is left is what the last stretch takes: ln(q/(1 − q)) of q = 0.95^α."""
    start = np.full(4, 1e-8)
    settings = {**DATA, "alpha": alpha, "weight_decay": decay, "learning_rate": 1.0, "steps": 1000}
    run = eigendyn.simulate("iso-euclidean", start, method="compiled", **settings)
    found = component_limits("iso-euclidean", start, **settings)
    rest = (SIGNAL - decay) / (SIGNAL + NOISE)
    leading = np.log(rest / start**alpha) / (2 * alpha * (SIGNAL - decay))
    last = np.log(0.95**alpha / (1 - 0.95**alpha)) / (2 * alpha * (SIGNAL - decay))
    np.testing.assert_allclose(found["small_start_time"], leading, rtol=1e-12)
    np.testing.assert_allclose(run["recruitment_time"] - leading, last, rtol=1e-2)


def test_plain_times_diverge_beside_the_threshold_as_their_leading_term():
    settings = {**DATA, "weight_decay": 0.01}
    threshold = component_limits(**settings)["threshold_variance"].values
    found = component_limits(variances=threshold * (1 + 1e-12), **settings)
    np.testing.assert_allclose(found["small_start_time"], found["recruitment_time"], rtol=0.2)
    assert (found["recruitment_time"] > 10 / (2 * SIGNAL * threshold)).all()


def test_a_vanishing_weight_decay_changes_nothing():
    """Terms in 1/λ₋ cancel: no digits are lost."""
    start = np.full(4, 0.01)
    without = component_limits(variances=start, **DATA)
    for decay in (1e-300, 1e-15, 1e-13):
        found = component_limits(variances=start, weight_decay=decay, **DATA)
        for name in ("recruitment_time", "variance", "small_start_time"):
            np.testing.assert_allclose(found[name], without[name], rtol=1e-9)


def test_the_digits_end_at_their_wiener_filters():
    """0.724 and 0.689: aligned modes of the first measurement on these images, 1,499 steps."""
    start = eigendyn.data.start(eigendyn.data.digits(), modes=10)
    found = component_limits("euclidean", **start)
    np.testing.assert_allclose(found["variance"][:2], [0.724, 0.689], atol=5e-4)
    d, a = np.array(start["signal"]), np.array(start["noise1"])
    np.testing.assert_allclose(found["predictor_eigenvalue"], d / (d + a))
    assert (found["recruitment_time"].values.argsort()[:3] == [0, 1, 2]).all()
    slow = component_limits("euclidean", **start, weight_decay=0.01)
    quick = component_limits("iso-euclidean", **start, weight_decay=0.01)
    assert slow["learned"].sum() < quick["learned"].sum() == 10


def test_beta_one_of_the_plain_loss_is_the_isotropic_one():
    for name, one in component_limits("euclidean", [0.1] * 4, beta=1.0, **DATA).items():
        np.testing.assert_array_equal(
            one, component_limits("iso-euclidean", [0.1] * 4, **DATA)[name]
        )


def test_a_component_that_cannot_live_has_no_rest():
    found = component_limits("euclidean", [0.5, 0.5], signal=[1.0, 0.1], weight_decay=0.1)
    assert found["learned"].values.tolist() == [True, False]
    for name in ("variance", "threshold_variance", "recruitment_time", "small_start_time"):
        assert np.isnan(found[name].values).tolist() == [False, True]
    dead = component_limits("iso-euclidean", [0.5, 0.0], signal=[0.1, 1.0], weight_decay=0.1)
    assert not dead["learned"].any()
    assert np.isnan(dead["recruitment_time"]).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"loss": "cosine"}, "with the loss 'cosine' it has none"),
        ({"predictor": "running"}, "`predictor='running'`"),
        ({"predictor": "none"}, "`predictor='none'`"),
        ({"stop_gradient": False}, "`stop_gradient=False`"),
        ({"target": "ema"}, "`target='ema'`"),
        ({"momentum": 0.9}, "`momentum=0.9`"),
        ({"epsilon": 0.1}, "`epsilon=0.1`"),
        ({"normalize": True}, "`normalize=True`"),
        ({"beta": 0.5}, "`beta=0.5`"),
    ],
)
def test_what_has_no_such_form_is_refused(given, said):
    with pytest.raises(NoClosedForm, match=said):
        component_limits(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"variances": [0.1], "signal": [1.0, 2.0]}, "one for each of 1 modes, not 2"),
        ({"signal": [1.0, 2.0], "noise1": [0.1] * 3}, "one for each of 3 modes, not 2"),
        ({"variances": [-0.1]}, "Variances must be finite"),
        ({"weight_decay": -1}, "weight_decay"),
        ({"signals": 1.0}, "signal"),
    ],
)
def test_wrong_components_are_refused_as_by_simulate(given, said):
    with pytest.raises(EigendynError, match=said):
        component_limits(**given)
