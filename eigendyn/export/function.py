"""A loss in its form for batches enters; the body of its function, or of its gradient's, leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sympy as sp

from eigendyn import symbols as sym
from eigendyn.export.backends import Backend
from eigendyn.export.form import BatchForm
from eigendyn.export.source import SourcePrinter, assignment, name_of, quantities, terms, tidy
from eigendyn.symbols import ModeSum, StopGradient, lam, modes, z1, z2

GRADIENTS = {1: ("gradient",), 2: ("z1_gradient", "z_gradient")}  # by their number
RESERVED = frozenset({"p", "z", "z1", "lam", "basis", "predictor", "len"}).union(
    *GRADIENTS.values(), ("jax", "jnp", "torch", "np")
)


@dataclass(frozen=True)
class Function:
    """What the bodies of a loss and of its gradient have in common.

    Args:
        form: The loss.
        backend: Library to write for.
        parameters: Names of the loss's own numbers in the source, by their symbols.
    """

    form: BatchForm
    backend: Backend
    parameters: Mapping[sp.Symbol, str]

    @property
    def arrays(self) -> tuple[str, ...]:
        """Arguments of the loss: representations (samples, dimensions), and the predictor."""
        symbols = self.form.value.free_symbols
        predicts = self.form.prediction in symbols
        views = [name for symbol, name in ((z1, "z1"), (z2, "z")) if symbol in symbols]
        if self.form.is_basis_free:
            return ("p", *reversed(views)) if predicts else tuple(views)
        return (*dict.fromkeys([*["z1"] * predicts, *views]), "predictor")

    @property
    def gradient_arrays(self) -> tuple[str, ...]:
        """Arguments of the gradient: those of the loss, and the predictor if it is a factor."""
        has_factor = any(len(vectors) > 1 for vectors in self.form.gradients)
        return tuple(dict.fromkeys([*self.arrays, *["predictor"] * has_factor]))

    @property
    def learning(self) -> frozenset[sp.Symbol]:
        """Representations that the gradient flows through: outside a stop-gradient somewhere."""
        outside, _ = sym.detach(self.form.value, StopGradient)
        learning = outside.free_symbols & {self.form.prediction, z1, z2}
        through = self.form.prediction in learning and not self.form.is_basis_free
        return learning | {z1} if through else learning

    @property
    def idle_stops(self) -> frozenset[sp.Expr]:
        """Stop-gradients that nothing flows through once all that does not learn is stopped."""
        _, stops = sym.detach(self.form.value, StopGradient)
        return frozenset(s for s in stops.values() if self.learning.isdisjoint(s.free_symbols))

    @property
    def names(self) -> dict[sp.Symbol, str]:
        """What the symbols are called."""
        own = {z1: "z1", z2: "z", lam: "lam", self.form.prediction: "p"}
        return own | {modes: f"{self.arrays[0]}.shape[-1]"} | dict(self.parameters)


def value_body(function: Function) -> list[str]:
    """Lines that compute the loss, averaged over the batch."""
    value, backend = function.form.value, function.backend
    idle = function.idle_stops if backend.differentiates else value.atoms(StopGradient)
    constants = {s for stop in idle for s in stop.free_symbols} if backend.differentiates else ()
    nests = any(total.args[0].has(ModeSum) for total in value.atoms(ModeSum))
    printer = SourcePrinter(backend, function.names, idle, keeps=nests)
    lines = [*_preparation(function, value.free_symbols, constants)]
    lines += _definitions([value], printer, function)
    factor, rest = value.as_coeff_Mul()
    if isinstance(rest, ModeSum):
        printer.axis = backend.axis
    mean = f"{backend.module}.mean({printer.doprint(rest)})"
    scaled = mean if abs(factor.p) == 1 else f"{abs(factor.p)} * {mean}"
    sign = "-" if factor < 0 else ""
    return [*lines, tidy(f"return {sign}{scaled}" + (f" / {factor.q}" if factor.q > 1 else ""))]


def gradient_body(function: Function) -> list[str]:
    """Lines that compute the gradients of the averaged loss without automatic differentiation."""
    form, first = function.form, function.arrays[0]
    vectors = [vector for gradient in form.gradients for vector in gradient]
    used = frozenset().union(*(vector.free_symbols for vector in vectors))
    printer = SourcePrinter(function.backend, function.names, (), keeps=True)
    lines = [*_preparation(function, used, ())]
    lines += _definitions(vectors, printer, function)
    names = GRADIENTS[len(form.gradients)]
    zero = f"{function.backend.module}.zeros_like({first})"
    for name, (*lower, highest) in zip(names, form.gradients, strict=True):
        lines += assignment(name, [zero] if highest == 0 else terms(highest, printer))
        for vector in reversed(lower):
            more = [] if vector == 0 else terms(vector, printer)
            lines += assignment(name, [f"{name} @ predictor", *more])
    rotation = "" if form.is_basis_free else " @ basis.T"
    return [*lines, "return " + ", ".join(f"{name}{rotation} / len({first})" for name in names)]


def _preparation(
    function: Function, used: Collection[sp.Symbol], constants: Collection[sp.Symbol]
) -> Iterable[str]:
    """Lines that stop gradients, and go to the eigenbasis where that is needed."""
    form, backend = function.form, function.backend
    views = [v for v in (form.prediction, z2, z1) if v in constants]
    if form.is_basis_free:
        if views:
            names = [function.names[view] for view in views]
            values = [tidy(backend.stopped(name)) for name in names]
            yield f"{', '.join(names)} = {', '.join(values)}"
        return
    predicts = form.prediction in used
    system = f"{backend.module}.linalg.eigh({backend.stopped('predictor')})"
    if predicts or lam in used:
        yield tidy(f"lam, basis = {system}")
        if form.has_roots:
            before, after = backend.positive
            yield f"lam = {before}lam{after}  # rounding can make a zero negative"
    else:
        yield tidy(f"basis = {system}[1]")
    for view in (z1, z2):
        if view in used or (view == z1 and predicts):
            name = function.names[view]
            start = backend.stopped(name) if view in constants else name
            yield tidy(f"{name} = {start} @ basis")
    if predicts:
        first = backend.stopped("z1") if form.prediction in constants else "z1"
        yield tidy(f"p = lam * {first}")


def _definitions(
    outputs: Iterable[sp.Expr], printer: SourcePrinter, function: Function
) -> Iterable[str]:
    """Lines that name what is used twice; the printer learns the names."""
    taken = {*RESERVED, *function.parameters.values()}
    for quantity in quantities(outputs):
        name = name_of(quantity, printer, taken | set(printer.quantities.values()))
        yield from assignment(name, terms(quantity, printer))
        printer.quantities[quantity] = name
