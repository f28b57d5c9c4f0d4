"""Attach a log to a module of PyTorch: its outputs are what is recorded."""

from __future__ import annotations

from typing import Any

from eigendyn.recording.log import SpectrumLog
from eigendyn.settings.checks import check_is
from eigendyn.settings.keywords import takes


@takes()
def hook(
    module: Any, log: SpectrumLog, *, chunks: int = 1, optimizer: Any = None, predictor: Any = None
) -> Any:
    """Record what a module of PyTorch puts out while it is in training mode.

    Args:
        module: Whose outputs are recorded, as a projector (samples, dimensions).
        log: Where to.
        chunks: 2 where one call has both views, one below the other; 1 where it is called once for
            each view, the first one first. With more than two views call `log.observe` yourself.
        optimizer: Whose learning rate is read.
        predictor: A linear layer behind the module, without bias, whose weights are read.

    Returns:
        PyTorch's handle, whose `remove()` ends it.

    Raises:
        InvalidSetting: It is no module, or another number of chunks.

    Examples:
        >>> import torch
        >>> projector = torch.nn.Linear(8, 2, bias=False)
        >>> log = eigendyn.SpectrumLog("hooked.nc", every=1, samples=64)
        >>> handle = eigendyn.recording.hook(projector, log, chunks=2)
        >>> for _ in range(3):
        ...     x = torch.randn(64, 8)
        ...     z = projector(torch.cat([x, x + torch.randn(64, 8) / 10]))
        >>> handle.remove()
        >>> log.recordings
        3
    """
    is_module = hasattr(module, "register_forward_hook")
    check_is("module", module, is_module, "a module of PyTorch, as a projector")
    check_is("chunks", chunks, chunks in (1, 2), "1 or 2")
    check_is("log", log, isinstance(log, SpectrumLog), "a SpectrumLog")
    waiting: list[Any] = []

    def after(module: Any, _: Any, output: Any) -> None:
        if not module.training:
            return
        is_tensor = hasattr(output, "detach")
        check_is("module", module, is_tensor, "a module whose output is one tensor, as a projector")
        waiting.extend(output.detach().chunk(chunks))
        if len(waiting) == 2:
            pair = tuple(waiting)
            waiting.clear()
            weights = None if predictor is None else predictor.weight.T
            rate = None if optimizer is None else optimizer.param_groups[0]["lr"]
            log.observe(*pair, predictor=weights, learning_rate=rate)

    return module.register_forward_hook(after)
