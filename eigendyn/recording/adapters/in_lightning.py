"""Log a training of Lightning by a callback whose arguments are those of stable-pretraining."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

from eigendyn.errors import InvalidSetting, NotInstalled
from eigendyn.recording.log import SpectrumLog
from eigendyn.recording.record import MEASURES, MOMENT
from eigendyn.settings.keywords import takes

RANK = "rankme_of_uncentred_singular_values"  # what RankMe logs under its own name
SHOWN = [name for name, row in MEASURES.items() if row.dims == MOMENT and name != RANK]


@takes()
def lightning_callback(
    name: str,
    target: str | tuple[str, str],
    queue_length: int | None = None,
    target_shape: int | Sequence[int] | None = None,
    *,
    every: int = 100,
    path: str | Path | None = None,
    predictor: str | None = None,
    force: bool = False,
) -> Any:
    """Make a callback of Lightning that logs the spectrum and all ranks of a training.

    Where Lightning goes on from a checkpoint, the log goes on too. One process logs, its own part
    of each batch. The callback's `spectrum` is the `SpectrumLog`.

    Args:
        name: Under which RankMe is logged, and other numbers as name/…
        target: Key of `training_step`'s outputs, or of the batch, that holds both views one below
            the other, or a pair of views; or two keys. As stable-pretraining's "embedding"; the
            theory is of the projections, which the loss compares.
        queue_length: Samples of a recording; 10 for each dimension where nothing is said.
        target_shape: Dimensions, or a shape with as many numbers; to be checked.
        every: Steps between recordings.
        path: Of the file; name.nc in the trainer's `default_root_dir` where nothing is said.
        predictor: Attribute of the module that is a linear predictor, without bias.
        force: Whether an existing file may be replaced.

    Returns:
        The callback, for `Trainer(callbacks=[…])`.

    Raises:
        NotInstalled: Lightning is missing.

    Examples:
        >>> callback = eigendyn.recording.lightning_callback("spectrum", ("z1", "z2"))
        >>> # trainer = Trainer(callbacks=[callback])
        >>> type(callback).__name__
        'SpectrumCallback'
    """
    Callback = _callback()
    keys = (target,) if isinstance(target, str) else tuple(target)
    dims = prod(target_shape) if isinstance(target_shape, Sequence) else target_shape

    class SpectrumCallback(Callback):
        """Logs a pair of views at the end of each training batch."""

        spectrum: SpectrumLog | None = None
        before: tuple[int, float] = 0, 0.0

        def on_train_start(self, trainer: Any, *_: Any) -> None:
            if self.spectrum is None and trainer.is_global_zero:
                place = Path(path or Path(trainer.default_root_dir) / f"{Path(name).name}.nc")
                resume = trainer.global_step > 0 and place.exists()  # from a checkpoint
                place.parent.mkdir(parents=True, exist_ok=True)
                self.spectrum = SpectrumLog(
                    place,
                    every,
                    samples=queue_length,
                    tensor=" and ".join(keys),
                    resume=resume,
                    force=force and not resume,
                )

        def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
            # The views are of the weights before the step, and so is the rate that moves them on.
            self.before = trainer.global_step, trainer.optimizers[0].param_groups[0]["lr"]

        def on_train_batch_end(
            self, _: Any, pl_module: Any, outputs: Any, batch: Any, *__: Any
        ) -> None:
            if self.spectrum is None:
                return
            z1, z2 = views(keys, outputs, batch)
            if dims is not None and z1.shape[-1] != dims:
                message = f"`target_shape` is {dims}; {keys[0]!r} has {z1.shape[-1]} dimensions."
                raise InvalidSetting(message)
            step, rate = self.before
            layer = None if predictor is None else _layer(pl_module, predictor)
            before = self.spectrum.recordings
            self.spectrum.observe(
                z1,
                z2,
                predictor=None if layer is None else layer.weight.T,
                step=step,
                learning_rate=rate,
                loss=outputs.get("loss") if isinstance(outputs, Mapping) else None,
            )
            if self.spectrum.recordings > before:
                last = self.spectrum.record.isel(time=-1)
                numbers = {f"{name}/{one}": last[one].item() for one in SHOWN if one in last}
                pl_module.log_dict({name: last[RANK].item(), **numbers}, rank_zero_only=True)

    return SpectrumCallback()


def _layer(module: Any, name: str) -> Any:
    """The linear predictor of a module.

    Raises:
        InvalidSetting: There is none of that name.
    """
    found = getattr(module, name, None)
    if not hasattr(found, "weight"):
        message = (
            f"`predictor` must name a linear layer of the module; {name!r} is none. Try "
            f"'predictor' after `self.predictor = torch.nn.Linear(…, bias=False)`."
        )
        raise InvalidSetting(message)
    return found


def _callback() -> Any:
    """The base class of callbacks, of the one of both packages that is in use.

    Raises:
        NotInstalled: There is none.
    """
    packages = ("lightning", "pytorch_lightning")
    found = [one for one in packages if one in sys.modules]
    found += [one for one in packages if find_spec(one)]
    if not found:
        message = "A callback of Lightning needs Lightning; try pip install lightning."
        raise NotInstalled(message)
    if found[0] == "lightning":
        from lightning.pytorch import Callback  # pyright: ignore[reportMissingImports]
    else:
        from pytorch_lightning import Callback  # pyright: ignore[reportMissingImports]
    return Callback


def views(keys: Sequence[str], outputs: Any, batch: Any) -> tuple[Any, Any]:
    """Both views under one key or two.

    Raises:
        InvalidSetting: There is no such key, or it holds no pair.
    """
    held = [one for one in (outputs, batch) if isinstance(one, Mapping)]
    found: list[Any] = [next((one[key] for one in held if key in one), None) for key in keys]
    if any(one is None for one in found):
        known = ", ".join(sorted({str(key) for one in held for key in one}))
        message = (
            f"`target` must be a key of what training_step returns, or of the batch; {keys} is "
            f"none of {known or 'none'}. Return it beside the loss."
        )
        raise InvalidSetting(message)
    if len(found) == 1:
        (both,) = found
        found = list(both.chunk(2) if hasattr(both, "chunk") and both.ndim == 2 else both)
    if len(found) != 2:
        message = f"`target` must hold two views; {keys[0]!r} holds {len(found)}."
        raise InvalidSetting(message)
    return found[0], found[1]
