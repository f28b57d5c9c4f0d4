"""Log the spectrum of a training under way, batch by batch, into a file that outlives it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.recording.batches import as_loss, as_numbers, as_pair
from eigendyn.recording.clock import Clock, number
from eigendyn.recording.kept import History, check_place, history_of, read_history, write
from eigendyn.recording.measured import is_asymmetric, measure
from eigendyn.recording.moments import Window
from eigendyn.recording.verdict import Check, judge
from eigendyn.settings.checks import check_whole
from eigendyn.settings.keywords import takes

if TYPE_CHECKING:
    import xarray

PER_DIMENSION, FEWEST = 10, 1024  # samples of a recording, where nothing is said


class SpectrumLog:
    """Record the spectrum that two views share while a network is trained.

    Modes are eigenvectors u of the centred C12 = ⟨z1 z2ᵀ⟩, symmetrised, with variance v = uᵀ C12 u,
    noises uᵀ C11 u − v and uᵀ C22 u − v, and λ = uᵀ W_P u of the predictor.

    Every `every` steps a recording is added to the file, of the last batches before it: variance
    that both views share, noises, predictor and commutator of every mode, the mean, and what
    monitors call rank, each with its definition (`eigendyn.recording.MEASURES`). Modes are
    followed by the overlap of their eigenvectors. Batches between two windows cost nothing. Early
    on, where training is fastest, recordings are closer, as far as their samples allow.

    Which tensor is read decides what is seen. The theory speaks of z, what the predictor reads and
    the loss compares: the projector's outputs, before they are normalised. Behind batch
    normalisation, z/‖z‖ or centring the scale is fixed, and only shares of the variance can move.

    Args:
        path: Where to, .nc. It is written anew at each recording, as a whole or not at all, so that
            whatever ends the run leaves all recordings; `eigendyn.load` reads it.
        every: Steps between recordings, from eight times as many steps on.
        samples: Pairs that a recording is taken of, as far as `every` steps have them; 10 for each
            dimension and 1,024 at least where nothing is said. Fewer push eigenvalues apart: the
            record says how far.
        tensor: What is read, in words that the record keeps.
        resume: Whether to add to a file that is there, after a restart; steps that are done again
            are recorded again.
        force: Whether an existing file may be replaced.

    Raises:
        InvalidSetting: Numbers without meaning, or a file of another tensor to be resumed.
        OutputExists: The file exists, or cannot be written.

    Source: modes, Halvagal et al. 2023; ranks, Garrido et al. 2023 (RankMe), Roy and Vetterli 2007,
    Agrawal et al. 2022 (α-ReQ), Thilak et al. 2023 (LiDAR).

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> log = eigendyn.SpectrumLog("training.nc", every=1, samples=1000)
        >>> for step in range(3):
        ...     z = rng.normal(size=(1000, 2)) * [2.0, 0.5]  # what your network puts out
        ...     log.observe(z, z + 0.1 * rng.normal(size=z.shape), step=step)
        >>> eigendyn.load("training.nc").variance.isel(time=-1).values.round(1).tolist()
        [3.9, 0.2]
    """

    @takes()
    def __init__(
        self,
        path: str | Path,
        every: int = 100,
        *,
        samples: int | None = None,
        tensor: str = "embedding",
        resume: bool = False,
        force: bool = False,
    ) -> None:
        every = check_whole("every", every, 1)
        self._samples = None if samples is None else check_whole("samples", samples, 2)
        self._tensor = str(tensor)
        self._path = check_place(path, resume, force)
        self._replaces = force or resume
        self._resumes = resume and self._path.exists()
        self._history = read_history(self._path, self._tensor) if self._resumes else History()
        self._clock = Clock(every)
        self._window: Window | None = None
        self._last = 0.0, 0.0  # step and time of the last batch in the window
        self._dims: int | None = self._history.dims
        self._losses: list[Any] = []
        self._predictor: NDArray | None = None
        self._turns = False
        self._shown: xarray.Dataset | None = None

    def observe(
        self,
        z1: Any,
        z2: Any,
        predictor: Any = None,
        step: Any = None,
        learning_rate: Any = None,
        loss: Any = None,
    ) -> Check | None:
        """Look at a batch; call it at every step, or whenever you like.

        Args:
            z1: Representations of the first view (samples, dimensions): of PyTorch, JAX or NumPy,
                on any device, of any precision.
            z2: Those of the second view; of the target network where there is one.
            predictor: W_P (dimensions, dimensions), which acts as z1 @ W_P: `layer.weight.T` of a
                linear layer of PyTorch. Of a nonlinear predictor its best linear map,
                `numpy.linalg.lstsq(z1, p1)[0]`.
            step: Training step; calls are counted where it is not given.
            learning_rate: Rate of the steps from this call to the next. Time is its integral, and
                steps where it is never given.
            loss: The loss as it is printed; its mean since the last recording is kept.

        Returns:
            What the record says of the training, at a recording; otherwise None.

        Raises:
            InvalidSetting: Views of different shapes, numbers that are not finite, other dimensions
                than before, steps that go back. The log keeps what it has.
        """
        shape = getattr(z1, "shape", None) or np.shape(z1)
        batch = int(shape[0]) if len(shape) else 0
        if self._resumes:
            self._resume(step)
        now = self._clock.advance(step, learning_rate)
        check = None
        if self._window is not None and now - self._last[0] >= self._clock.every:  # of long ago
            check = self._close(*self._last)
        if loss is not None:
            self._losses.append(as_loss(loss))
        wanted = self._samples or max(FEWEST, PER_DIMENSION * int(shape[-1] if len(shape) else 1))
        due, span = self._clock.due(wanted, batch)
        self._clock.seen += batch
        if due - now >= span:
            return check
        first, second = as_pair(z1, z2, now, self._tensor)
        self._check_dims(first.shape[1], predictor)
        if self._window is None:
            if self._predictor is not None:
                self._turns = is_asymmetric(self._predictor)
            self._window = Window(first, second, self._turns)
        self._window.add(first, second)
        self._last = now, self._clock.time
        return self._close(*self._last) if now >= due else check

    @property
    def record(self) -> xarray.Dataset:
        """All recordings so far, over (mode, time).

        Raises:
            InvalidSetting: There is none yet.
        """
        if not self._history.rows:
            message = (
                "A record must have a recording; there is none yet. The first is made as soon as "
                "its samples are there; fewer are asked for by `samples`."
            )
            raise InvalidSetting(message)
        if self._shown is None:
            self._shown = history_of(self._history, self._tensor, self._clock.every)
        return self._shown

    @property
    def recordings(self) -> int:
        """How many recordings there are so far."""
        return len(self._history.rows)

    def _resume(self, step: Any) -> None:
        """Go on after the last recording that this run does not make again."""
        self._history.cut(self._path, step)
        self._resumes = False
        row = self._history.rows[-1]
        rate = float(row["learning_rate"]) if "learning_rate" in row else None
        at, time = self._history.steps[-1], self._history.times[-1]
        every, begins = self._clock.every, at if step is None else number("step", step)
        recorded = at if begins - at <= every else begins - 1  # after a gap a window fills first
        self._clock = Clock(every, at, time, rate, recorded)

    def _check_dims(self, dims: int, predictor: Any) -> None:
        self._dims = self._dims or dims
        if dims != self._dims:
            message = (
                f"All batches of a log must have the same dimensions; {dims} follow {self._dims}. "
                "Open another log for another tensor."
            )
            raise InvalidSetting(message)
        if predictor is None:
            return
        matrix = as_numbers("predictor", predictor)
        if matrix.shape != (dims, dims) or not np.isfinite(matrix).all():
            message = (
                f"`predictor` must be a finite matrix, {dims} × {dims}, that acts as z1 @ W_P; "
                f"its shape is {matrix.shape}. Of another predictor give its best linear map, "
                "numpy.linalg.lstsq(z1, p1)[0]."
            )
            raise InvalidSetting(message)
        self._predictor = matrix

    def _close(self, step: float, time: float) -> Check | None:
        """Record the window, write the file, and judge; not at a rate of zero, as time stands."""
        assert self._window is not None
        if self._history.times and time <= self._history.times[-1]:
            return None
        row, modes = measure(self._window.moments(), self._predictor, self._history.modes)
        if self._losses:
            row["loss"] = float(np.mean([float(one) for one in self._losses]))
        if self._clock.rate is not None:
            row["learning_rate"] = self._clock.rate
        if (size := self._clock.batch_size) is not None:
            row["batch_size"] = size
        self._history.add(row, step, time, modes)
        self._window, self._predictor, self._losses, self._shown = None, None, [], None
        self._clock.recorded = step
        write(self.record, self._path, force=self._replaces)
        self._replaces = True
        return judge(self.record)
