"""Describe how exported source differs between JAX, PyTorch and NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

WIDEST = 84  # columns, indentation left out


@dataclass(frozen=True)
class Backend:
    """Words of one library.

    Args:
        imports: Lines of import.
        array: Type of an array.
        module: Name under which its functions are called.
        axis: Argument that says which axis to sum over.
        keep: Argument that keeps a summed axis.
        stop: What to put before and after an expression that is a constant for differentiation.
        positive: What to put before and after eigenvalues that rounding may have made negative.
        wider: An array {0} in at least single precision.
        length: Norm of the rows of {0}, at least eps, whose gradient is zero below that.
        product: Product of the matrices {0} and {1}, in the precision of their numbers.
        uncast: Head of a block without automatic casting to half precision; empty if there is none.
    """

    imports: tuple[str, ...]
    array: str
    module: str
    axis: str
    keep: str
    stop: tuple[str, str]
    positive: tuple[str, str]
    wider: str
    length: str
    product: str = "{0} @ {1}"
    uncast: str = ""

    @property
    def differentiates(self) -> bool:
        """Whether it has automatic differentiation."""
        return self.module != "np"

    def widened(self, arrays: Sequence[str]) -> list[str]:
        """Lines that take arguments in at least single precision."""
        if len(arrays) == 1:
            return [f"{arrays[0]} = {self.wider.format(*arrays)}"]
        told = ", ".join(arrays)
        each = f"{self.wider.format('x')} for x in ({told})"
        line = f"{told} = ({each})"
        return [line] if len(line) <= WIDEST else [f"{told} = (", f"    {each}", ")"]

    def stopped(self, expression: str) -> str:
        """Source of an expression that is a constant for differentiation."""
        before, after = self.stop
        return f"{before}{expression}{after}"


BACKEND: Mapping[str, Backend] = MappingProxyType(
    {
        "jax": Backend(
            imports=("import jax", "import jax.numpy as jnp"),
            array="jax.Array",
            module="jnp",
            axis="axis=-1",
            keep="keepdims=True",
            stop=("jax.lax.stop_gradient(", ")"),
            positive=("jnp.maximum(", ", 0)"),
            wider="{0} if {0}.dtype == jnp.float64 else {0}.astype(jnp.float32)",
            length="jnp.sqrt(jnp.maximum(jnp.sum(({0})**2, axis=-1, keepdims=True), eps**2))",
            product='jnp.matmul({0}, {1}, precision="highest")',
        ),
        "torch": Backend(
            imports=("import torch",),
            array="torch.Tensor",
            module="torch",
            axis="dim=-1",
            keep="keepdim=True",
            stop=("(", ").detach()"),
            positive=("torch.clamp(", ", min=0)"),
            wider="{0} if {0}.dtype == torch.float64 else {0}.float()",
            length="torch.clamp(torch.linalg.norm({0}, dim=-1, keepdim=True), min=eps)",
            uncast="with torch.autocast({first}.device.type, enabled=False):",
        ),
        "numpy": Backend(
            imports=("import numpy as np",),
            array="np.ndarray",
            module="np",
            axis="axis=-1",
            keep="keepdims=True",
            stop=("(", ")"),
            positive=("np.maximum(", ", 0)"),
            wider="{0} if {0}.dtype == np.float64 else {0}.astype(np.float32)",
            length="np.maximum(np.linalg.norm({0}, axis=-1, keepdims=True), eps)",
        ),
    }
)
