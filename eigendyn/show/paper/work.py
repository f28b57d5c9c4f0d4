"""Run what a figure's page computes, as large as asked, and keep its finished parts.

Parts are files named by what they hold, with a fingerprint of their settings: a part made with
other settings, or by another version, is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import xarray
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from eigendyn.errors import UnreadableFile
from eigendyn.results.files import load, save
from eigendyn.settings.spectrum import variances_from_weights, weights_from_variances
from eigendyn.simulation.simulate import simulate

Item = TypeVar("Item")
Numbers = dict[str, xarray.Dataset]  # by the path of the group that holds them
KEPT = ("variance", "singular_value", "outcome", "recruitment_time")
CLOSURE_ACCURACY = 1e-5  # no line is drawn more accurately


@dataclass(frozen=True)
class Descents:
    """Size of the gradient descents that are laid over the theory.

    Args:
        batch: Samples of a step; as many networks again draw a quarter.
        seeds: Networks of each batch.
        longest: Steps after which a long descent is cut.
    """

    batch: int
    seeds: int
    longest: int


EFFORTS: Mapping[str, Descents | None] = {
    "none": None,
    "quick": Descents(batch=1_250, seeds=4, longest=2_000),
    "full": Descents(batch=50_000, seeds=8, longest=100_000),
}


@dataclass(frozen=True)
class Work:
    """What a page may do.

    Args:
        title: What a progress bar is called.
        descents: Size of the gradient descents; None leaves them out.
        effort: How much is trained, one of `EFFORTS`.
        progress: Show a progress bar on standard error.
        parts: Folder in which finished parts are kept, and found again; None keeps none.
    """

    title: str = ""
    descents: Descents | None = None
    effort: str = "none"
    progress: bool = False
    parts: Path | None = None

    def each(self, make: Callable[[Item], Numbers], items: Mapping[str, Item]) -> Numbers:
        """Make the groups of every item, with a progress bar, and put its name before theirs."""
        bar = tqdm(items.items(), desc=self.title, leave=False, disable=not self.progress)
        return {f"{name}/{group}": data for name, item in bar for group, data in make(item).items()}

    def panel(
        self, name: str, loss: Any, weights: NDArray, false_alarm: float, **settings: Any
    ) -> Numbers:
        """Expected steps of a loss, and networks beside them if there are to be any.

        Args:
            name: Name of the part.
            loss: A loss as `simulate` takes it; one that is not a name gets no networks.
            weights: First weights (modes, inputs).
            false_alarm: Probability with which this panel's true theory is called wrong.
            settings: Fields of `Settings`.

        Returns:
            "theory" and, if networks were trained, "agreement".
        """
        theory = self.expected_steps(loss, weights, **settings)
        if self.descents is None or not isinstance(loss, str):
            return {"theory": theory}
        from eigendyn.crosschecks.crosscheck import crosscheck

        size = {"batch": self.descents.batch, "seeds": self.descents.seeds}
        chosen: dict[str, Any] = (
            settings | size | {"steps": min(settings["steps"], self.descents.longest)}
        )
        compared = self.part(
            name,
            {"loss": loss, "weights": weights.tolist(), "false_alarm": false_alarm, **chosen},
            lambda: crosscheck(
                loss, weights, false_alarm=false_alarm, progress=self.progress, **chosen
            ),
        )
        agreement = compared["agreement"].to_dataset().assign_attrs(size)
        return {"theory": theory, "agreement": agreement}

    def expected_steps(self, loss: Any, weights: NDArray, **settings: Any) -> xarray.Dataset:
        """Expected steps of a loss from given weights, at the accuracy of a picture."""
        variances = variances_from_weights(weights)
        exact = {"method": "steps", "closure_accuracy": CLOSURE_ACCURACY}
        return simulate(loss, variances, **exact, **settings)[list(KEPT)]

    def networks(
        self,
        name: str,
        weights: NDArray,
        *,
        followed: NDArray | None = None,
        steps: int,
        **settings: Any,
    ) -> xarray.Dataset | None:
        """Networks alone, where no theory covers them or other things are measured.

        Args:
            name: Name of the part.
            weights: First weights (dimensions, inputs).
            followed: Inputs (inputs, samples) that are followed.
            steps: Training steps, cut if they are too many.
            settings: As `networks.train` takes them.

        Returns:
            What was measured; None if there are to be no networks.
        """
        if self.descents is None:
            return None
        from eigendyn.show.paper.networks import train

        size = {"batch": self.descents.batch, "seeds": self.descents.seeds}
        chosen: dict[str, Any] = size | settings | {"steps": min(steps, self.descents.longest)}
        fixed = {"weights": weights.tolist()}
        if followed is not None:
            fixed["followed"] = followed.tolist()
        return self.part(
            name,
            fixed | chosen,
            lambda: train(weights, followed, progress=self.progress, **chosen),
        )

    def singular_values(
        self, name: str, variances: ArrayLike, **settings: Any
    ) -> tuple[NDArray, NDArray]:
        """Singular values (seeds, modes, times) of networks with these first variances, and times.

        Other arguments are those of `networks`, which there must be.
        """
        weights = weights_from_variances(variances)
        trained = self.networks(name, weights, measures=("singular_value",), **settings)
        assert trained is not None
        return trained["singular_value"].values, trained["time"].values

    def part(self, name: str, settings: Mapping[str, Any], make: Callable[[], Any]) -> Any:
        """Load a finished part, or make it and keep it."""
        if self.parts is None:
            return make()
        told = json.dumps([version("eigendyn"), settings], sort_keys=True)
        fingerprint = hashlib.sha256(told.encode()).hexdigest()
        path = self.parts / f"{name}.nc"
        if path.exists():
            try:
                kept = load(path)
            except UnreadableFile:
                kept = None
            if kept is not None and kept.attrs.get("fingerprint") == fingerprint:
                return kept
        made = make()
        made.attrs["fingerprint"] = fingerprint
        save(made, path, force=True)
        return made
