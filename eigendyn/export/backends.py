"""What the source for JAX, PyTorch and NumPy differs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


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
    """

    imports: tuple[str, ...]
    array: str
    module: str
    axis: str
    keep: str
    stop: tuple[str, str]
    positive: tuple[str, str]

    @property
    def differentiates(self) -> bool:
        """Whether it has automatic differentiation."""
        return self.module != "np"

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
        ),
        "torch": Backend(
            imports=("import torch",),
            array="torch.Tensor",
            module="torch",
            axis="dim=-1",
            keep="keepdim=True",
            stop=("(", ").detach()"),
            positive=("torch.clamp(", ", min=0)"),
        ),
        "numpy": Backend(
            imports=("import numpy as np",),
            array="np.ndarray",
            module="np",
            axis="axis=-1",
            keep="keepdims=True",
            stop=("(", ")"),
            positive=("np.maximum(", ", 0)"),
        ),
    }
)
