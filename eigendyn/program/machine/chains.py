"""Accumulate sums, products and maxima over modes in several independent chains.

A reduction runs in several chains, so that one addition need not wait for the last, and the chains
are joined in a fixed order. Inside a loop of the code a chain is a variable, outside a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eigendyn.program.machine.builder import Builder, vector

CHAINS = 4
IDENTITIES = {"sum": 0.0, "product": 1.0, "maximum": float("-inf")}

Key = tuple[int, int, int]  # place of the reduction, modes side by side, number of the chain


@dataclass
class Chains:
    """Reductions under way.

    Args:
        v: Arithmetic at the place where terms come up.
        kinds: By place, what each reduction is: one of `IDENTITIES`.
    """

    v: Builder
    kinds: dict[int, str]
    values: dict[Key, Any] = field(default_factory=dict)
    variables: dict[Key, Any] = field(default_factory=dict)  # of the loop that is open, if any

    def open(self, side_by_side: int, width: int) -> None:
        """Begin a loop: every chain starts from nothing, as a variable of the given width."""
        for place, kind in self.kinds.items():
            for chain in range(CHAINS):
                with self.v.at.goto_entry_block():
                    variable = self.v.at.alloca(vector(self.v.kind, width))
                self.v.at.store(self.v.number(IDENTITIES[kind], width), variable)
                self.variables[place, side_by_side, chain] = variable

    def close(self) -> None:
        """End a loop: its variables are values from here on."""
        for key, variable in self.variables.items():
            self.values[key] = self.v.at.load(variable)
        self.variables.clear()

    def add(self, place: int, side_by_side: int, chain: int, term: Any) -> None:
        """Take one term in."""
        key = (place, side_by_side, chain)
        if key in self.variables:
            before = self.v.at.load(self.variables[key])
            self.v.at.store(self._join(place, before, term), self.variables[key])
        elif key in self.values:
            self.values[key] = self._join(place, self.values[key], term)
        else:
            self.values[key] = term

    def total(self, place: int) -> Any:
        """All chains as one; those of modes side by side first, then those of single ones."""
        totals = []
        for wide in sorted({side for at, side, _ in self.values if at == place}, reverse=True):
            values = [
                each for (at, side, _), each in self.values.items() if (at, side) == (place, wide)
            ]
            while len(values) > 1:
                pairs = zip(values[::2], values[1::2], strict=False)
                odd = values[len(values) & ~1 :]
                values = [self._join(place, first, second) for first, second in pairs] + odd
            totals.append(self._across(place, values[0]) if wide > 1 else values[0])
        total = totals[0]
        for other in totals[1:]:
            total = self._join(place, total, other)
        return total

    def _across(self, place: int, value: Any) -> Any:
        return self.v.across(value, lambda first, second: self._join(place, first, second))

    def _join(self, place: int, first: Any, second: Any) -> Any:
        kind = self.kinds[place]
        if kind == "maximum":
            return self.v.call("maximum", first, second)
        return (self.v.add if kind == "sum" else self.v.mul)(first, second)
