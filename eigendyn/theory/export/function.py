"""Write the body of an exported loss, or of its gradient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.export.backends import Backend
from eigendyn.theory.export.form import BatchForm, Still
from eigendyn.theory.export.source import (
    SourcePrinter,
    assignment,
    free_name,
    name_of,
    quantities,
    terms,
    tidy,
)
from eigendyn.theory.export.units import Lengths, through_units
from eigendyn.theory.symbols import ModeSum, StopGradient, lam, modes, z1, z2

GRADIENTS = {1: ("gradient",), 2: ("z1_gradient", "z_gradient")}  # by their number
RESERVED = frozenset({"p", "z", "z1", "lam", "basis", "predictor", "eps", "x", "len"}).union(
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
        """Stop-gradients that need no writing once all that does not learn is stopped."""
        if not self.backend.differentiates:
            return frozenset(self.form.value.atoms(StopGradient))
        _, stops = sym.detach(self.form.value, StopGradient)
        return frozenset(s for s in stops.values() if self.learning.isdisjoint(s.free_symbols))

    @cached_property
    def value(self) -> Lengths:
        """The loss of one sample as it is computed."""
        idle = {stop: stop.args[0] for stop in self.idle_stops}
        released = self.form.value
        while released.has(*idle):  # one may stand inside another
            released = released.xreplace(idle)
        if not self.backend.differentiates:
            released = released.replace(Still, lambda _: sp.S.Zero)
        return through_units((released,), (self.form.prediction, z1, z2))

    @cached_property
    def gradients(self) -> Lengths:
        """Its gradients as they are computed, all vectors in one row."""
        vectors = tuple(vector for gradient in self.form.gradients for vector in gradient)
        return through_units(vectors, (self.form.prediction, z1, z2))

    @property
    def names(self) -> dict[sp.Symbol, str]:
        """What the symbols are called."""
        own = {z1: "z1", z2: "z", lam: "lam", self.form.prediction: "p"}
        return own | {modes: f"{self.arrays[0]}.shape[-1]"} | dict(self.parameters)


def value_body(function: Function) -> list[str]:
    """Lines that compute the loss, averaged over the batch."""
    backend, lengths = function.backend, function.value
    (value,) = lengths.expressions
    constants = {s for stop in function.idle_stops for s in stop.free_symbols}
    nests = any(total.args[0].has(ModeSum) for total in value.atoms(ModeSum))
    has_column = not value.free_symbols.isdisjoint(lengths.norms)
    printer = SourcePrinter(backend, function.names, keeps=nests or has_column)
    used = function.form.value.free_symbols
    lines = backend.widened(function.arrays)
    lines += _preparation(function, used, constants if backend.differentiates else ())
    lines += _definitions(lengths, printer, function, are_vectors=False)
    factor, rest = value.as_coeff_Mul()
    if isinstance(rest, ModeSum):
        printer.axis = backend.axis
    mean = f"{backend.module}.mean({printer.doprint(rest)})"
    scaled = mean if abs(factor.p) == 1 else f"{abs(factor.p)} * {mean}"
    sign = "-" if factor < 0 else ""
    last = tidy(f"return {sign}{scaled}" + (f" / {factor.q}" if factor.q > 1 else ""))
    return _in_full_precision([*lines, last], function)


def gradient_body(function: Function) -> list[str]:
    """Lines that compute the gradients of the averaged loss without automatic differentiation."""
    form, first, lengths = function.form, function.arrays[0], function.gradients
    vectors = iter(lengths.expressions)
    used = frozenset().union(*(vector.free_symbols for g in form.gradients for vector in g))
    printer = SourcePrinter(function.backend, function.names, keeps=True)
    lines = function.backend.widened(function.gradient_arrays)
    lines += _preparation(function, used, ())
    lines += _definitions(lengths, printer, function, are_vectors=True)
    names = GRADIENTS[len(form.gradients)]
    zero = f"{function.backend.module}.zeros_like({first})"
    for name, gradient in zip(names, form.gradients, strict=True):
        *lower, highest = (next(vectors) for _ in gradient)
        lines += assignment(name, [zero] if highest == 0 else terms(highest, printer))
        for vector in reversed(lower):
            more = [] if vector == 0 else terms(vector, printer)
            lines += assignment(name, [f"{name} @ predictor", *more])
    rotation = "" if form.is_basis_free else " @ basis.T"
    return [*lines, "return " + ", ".join(f"{name}{rotation} / len({first})" for name in names)]


def _in_full_precision(lines: list[str], function: Function) -> list[str]:
    """Keep products of matrices out of the reach of automatic casting, where a library has it."""
    guard = function.backend.uncast
    if function.form.is_basis_free or not guard:
        return lines
    return [guard.format(first=function.arrays[0]), *(f"    {line}" for line in lines)]


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
            yield tidy(f"{name} = {backend.product.format(start, 'basis')}")
    if predicts:
        first = backend.stopped("z1") if form.prediction in constants else "z1"
        yield tidy(f"p = lam * {first}")


def _definitions(
    lengths: Lengths, printer: SourcePrinter, function: Function, are_vectors: bool
) -> Iterable[str]:
    """Lines that name norms, unit vectors and what is used twice; the printer learns the names."""
    backend, taken = function.backend, {*RESERVED, *function.parameters.values()}
    units = {vector: unit for unit, (vector, _) in lengths.units.items()}

    def length(norm: sp.Symbol) -> Iterable[str]:
        vector = lengths.norms[norm]
        name = name_of(sp.sqrt(ModeSum(vector**2)), printer, taken | set(printer.names.values()))
        yield from assignment(name, [backend.length.format(printer.doprint(vector))])
        printer.names[norm] = name

    for norm in (norm for _, norm in lengths.units.values()):
        yield from length(norm)
    if units:
        named = {u: free_name(f"{printer.names[v]}_unit", taken) for v, u in units.items()}
        ratios = [f"{printer.names[v]} / {printer.names[n]}" for v, n in lengths.units.values()]
        yield f"{', '.join(named.values())} = {', '.join(ratios)}"
        printer.names |= named
    for norm in (norm for norm in lengths.norms if norm not in printer.names):
        yield from length(norm)
    for quantity in quantities(lengths.expressions, are_vectors):
        name = name_of(
            quantity,
            printer,
            taken | set(printer.names.values()) | set(printer.quantities.values()),
        )
        lines = assignment(name, terms(quantity, printer))
        if isinstance(quantity, Still):
            lines[0] += f"  # zero, with the gradient of {printer.doprint(quantity.args[0])}"
        yield from lines
        printer.quantities[quantity] = name
