"""Check and hold the settings of one simulation. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import POSITIVE, SHARE, check_real, check_whole
from eigendyn.settings.choices import CLOSURES, DEVICES, DTYPES, SOLVERS, check_choice
from eigendyn.settings.engines import ENGINES, METHODS, Engine
from eigendyn.settings.keywords import strict
from eigendyn.settings.siamese import Siamese

TOLERANCES = {"float64": (1e-10, 1e-12), "float32": (1e-5, 1e-7)}  # relative, absolute
SMALLEST_RTOL = {"float64": 1e-14, "float32": 1e-6}  # below it a step is all round-off
FINER = {"float64": "", "float32": ", or `dtype='float64'`"}  # what else to try in a precision
MOST_IMPLICIT = 1024  # states × modes up to which "auto" takes implicit steps, which grow cubically
DEFAULT_SAMPLES = 10_000
DEFAULT_CLOSURE_ACCURACY = 1e-9


@strict
@dataclass(frozen=True)
class Settings(Siamese):
    """Settings of one simulation, valid by construction.

    Args:
        loss: Name of the loss. Any name is accepted here, since users have losses of their own;
            whoever looks the name up refuses unknown ones.
        predictor: "direct", λ = v^α; "copy", DirectCopy, that is normalised with α = 1 and
            ε = 0.25; "running", λ of a running average of z1 z1ᵀ; "learned", a matrix that
            descends the loss too; "none", the identity, λ = 1.
        stop_gradient: False lets the gradient flow through the target branch.
        alpha: Exponent α of the predictor, λ = c^α of the correlation's eigenvalue c.
        beta: Exponent β of the family δ/λ^β; None keeps the one that the loss's name implies.
        epsilon: ε, which lifts the predictor's eigenvalues in units of the largest; None is 0, or
            0.25 with "copy".
        epsilon_placement: "inside" the power, (c/max c + ε)^α, or "outside", (c/max c)^α + ε; both
            times (max c)^α unless normalised.
        normalize: Whether the predictor's eigenvalues are divided by (max c)^α.
        correlation: What the predictor's correlation is of: "clean" representations, c = s² d;
            the noisy "first-view", c = s² (d + a1), DirectPred's estimate; the encoder's "weights",
            c = s². None is clean, and first-view where it is a running average.
        correlation_momentum: Momentum of the running correlation; None is 0.9 with "running", and
            no average with "copy".
        correlation_order: In a step of training the running correlation is updated with the batch
            and then used for it, "update-first" (solo-learn, and the isotropic losses' code), or
            used as the step before left it and then updated, "use-first" (luckmatters, the code of
            DirectPred and DirectCopy). The flow knows no order.
        predictor_rate: Learning rate of a learned predictor over that of the encoder, κ; None is 1.
        predictor_decay: Weight decay of a learned predictor, ω_p: p loses η ω_p p in a step, so
            that it is κ times the weight_decay of an optimiser whose learning rate is κη.
        predictor_start: Multiple of the identity at which a learned predictor starts; None is 0.5.
        target: "shared", or "ema", an exponential moving average of the encoder; a step of
            training averages the weights that it has made.
        ema: Momentum of an EMA target; None is 0.99.
        ema_schedule: "constant", or "cosine": 1 − momentum falls to zero along a half cosine.
        sigma1: Standard deviation of the first view's noise.
        sigma2: Standard deviation of the second view's noise.
        signal: Variance d that both views share, along each mode's component of the inputs: one
            number, or one per mode; None is 1, white inputs. Variances of modes are v = s² d.
        noise1: Variance a1 of the first view's noise along each mode's component; None is σ1².
        noise2: Variance a2 of the second view's noise; None is σ2².
        weight_decay: ω of the encoder.
        momentum: Heavy-ball momentum of encoder and learned predictor.
        learning_rate: η; time is learning rate × step.
        steps: Number of training steps.
        method: One of `engines.METHODS`: "compiled", "implicit" (LSODA, for stiff dynamics) and
            "flow" (JAX) follow the gradient flow, "steps" expected descent; "auto" takes a flow,
            and steps with momentum: see `takes_steps`.
        closure: One of `choices.CLOSURES`.
        closure_accuracy: Relative error allowed to the exact closure's quadrature.
        samples: Number of samples of the sampled closure.
        solver: One of `choices.SOLVERS`, for the flow in JAX.
        rtol: Relative error allowed in a step of the flow; None takes that of `TOLERANCES`, or of
            the sampled closure's standard error. In compiled code it holds for the whole
            trajectory.
        atol: Absolute error allowed in a step of the flow; None takes that of `TOLERANCES`.
        max_solver_steps: Adaptive steps after which the flow gives up.
        saves: Largest number of saved times, the first and last included.
        dtype: One of `choices.DTYPES`.
        device: One of `choices.DEVICES`.
        seed: Seed of everything that is drawn.

    Raises:
        UnknownName: A method, closure, solver, dtype, device or keyword that does not exist.
        InvalidSetting: A number without meaning, or settings that contradict each other.

    Examples:
        >>> settings = eigendyn.Settings(loss="euclidean", weight_decay=0.05)
        >>> run = eigendyn.simulate(variances=[0.01, 0.5], settings=settings)
        >>> run.outcome.values.tolist()
        ['collapsed', 'relaxed']
    """

    method: str = "auto"
    closure: str = "auto"
    closure_accuracy: float = DEFAULT_CLOSURE_ACCURACY
    samples: int = DEFAULT_SAMPLES
    solver: str = "explicit"
    rtol: float | None = None
    atol: float | None = None
    max_solver_steps: int = 100_000
    saves: int = 301
    dtype: str = "float64"
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every setting by itself, then against the others."""
        for kind, known in _CHOICES.items():
            check_choice(kind, getattr(self, kind), known)
        for name, lowest in _WHOLE.items():
            object.__setattr__(self, name, check_whole(name, getattr(self, name), lowest))
        for name, (domain, hint) in _REAL.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, check_real(name, getattr(self, name), domain, hint))
        super().__post_init__()
        for contradiction in self._misplaced_accuracies():
            raise InvalidSetting(contradiction)

    @property
    def tolerances(self) -> tuple[float, float]:
        """Relative and absolute error of the flow, as given or as the precision allows."""
        given = zip((self.rtol, self.atol), TOLERANCES[self.dtype], strict=True)
        relative, absolute = (default if one is None else one for one, default in given)
        return relative, absolute

    @property
    def limits(self) -> dict[str, Any]:
        """Relative and absolute error of an adaptive flow, and its steps at most."""
        rtol, atol = self.tolerances
        return {"rtol": rtol, "atol": atol, "max_steps": self.max_solver_steps}

    @property
    def duration(self) -> float:
        """Training time, learning rate × steps."""
        return self.learning_rate * self.steps

    @property
    def follows_flow(self) -> bool:
        """Whether a gradient flow is followed, or its closed form where there is one."""
        is_flow = self.method == "auto" or ENGINES[self.method].follows == "flow"
        return is_flow and not self.takes_steps

    @property
    def takes_steps(self) -> bool:
        """Whether steps of descent are followed, as asked for, or by default with momentum.

        A flow has momentum to second order in η only; whoever gives its accuracy asks for it.
        """
        if self.method == "auto":
            return self.momentum > 0 and not any(self._steers_flow.values())
        return self.method == "steps"

    @property
    def _steers_flow(self) -> dict[str, bool]:
        """By setting that has a say in an adaptive flow only, whether it is given."""
        return {
            "rtol": self.rtol is not None,
            "atol": self.atol is not None,
            "solver": self.solver != "explicit",
        }

    def _misplaced_accuracies(self) -> Iterator[str]:
        """Say which accuracy steers nothing, or asks for more than the numbers can hold."""
        if not math.isfinite(self.duration):
            yield (
                "The training time `learning_rate` × `steps` must be finite, not "
                f"{self.learning_rate:g} × {self.steps}. Try a smaller `learning_rate`."
            )
        if self.method in ENGINES:
            yield from self._misplaced_engine(ENGINES[self.method])
        if (
            self.closure not in ("auto", "exact")
            and self.closure_accuracy != DEFAULT_CLOSURE_ACCURACY
        ):
            yield (
                f"`closure_accuracy` steers the exact closure, not `closure={self.closure!r}`. "
                "Leave it out, or try `closure='exact'`."
            )
        if self.closure not in ("auto", "sampled") and self.samples != DEFAULT_SAMPLES:
            yield (
                f"`samples` steers the sampled closure, not `closure={self.closure!r}`. "
                "Leave it out, or try `closure='sampled'`."
            )
        if self.rtol is not None and self.rtol < SMALLEST_RTOL[self.dtype]:
            yield (
                f"`rtol` must be at least {SMALLEST_RTOL[self.dtype]:g} in {self.dtype}, not "
                f"{self.rtol:g}: a step cannot be more accurate than its numbers. Try a larger one"
                f"{FINER[self.dtype]}."
            )

    def _misplaced_engine(self, engine: Engine) -> Iterator[str]:
        """Say what the engine that was asked for has no use for, or cannot do."""
        steers = [name for name, is_given in self._steers_flow.items() if is_given]
        if engine.follows != "flow":
            for name in steers:
                yield (
                    f"`{name}` steers the adaptive flow, and `method={self.method!r}` has none. "
                    f"Leave out `{name}`, or try `method='flow'`."
                )
        elif "solver" in steers and not engine.has_solver:
            yield (
                f"`solver={self.solver!r}` steers the flow in JAX, and `method={self.method!r}` "
                "has none. Try `method='flow'`."
            )
        if self.device not in engine.devices:
            yield (
                f"`method={self.method!r}` runs on the processor, not on "
                f"`device={self.device!r}`. Try `method='flow'`, or `device='cpu'`."
            )
        if self.dtype not in engine.dtypes:
            yield (
                f"`method={self.method!r}` computes in {engine.dtypes[0]}, not in "
                f"`dtype={self.dtype!r}`. Leave one of the two out, or try "
                "`method='flow', solver='stiff'`."
            )


def with_closure_accuracy(settings: Mapping[str, Any], accuracy: float) -> dict[str, Any]:
    """Settings that ask this of an exact closure unless they say otherwise."""
    if settings.get("closure", Settings.closure) in ("auto", "exact"):
        return {"closure_accuracy": accuracy, **settings}
    return dict(settings)


_CHOICES = {
    "method": METHODS,
    "closure": CLOSURES,
    "solver": SOLVERS,
    "dtype": DTYPES,
    "device": DEVICES,
}

_WHOLE = {"samples": 2, "max_solver_steps": 1, "saves": 2, "seed": 0}

_REAL = {
    "closure_accuracy": (SHARE, "Try 1e-9."),
    "rtol": (SHARE, "Try 1e-10."),
    "atol": (POSITIVE, "Try 1e-12."),
}
