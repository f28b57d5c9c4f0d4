"""The options that choose a start enter; the variances or weights to start from leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eigendyn.errors import InvalidSetting

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_one_start(
    embeddings: Path | None,
    weights: Path | None,
    variances: list[float] | None,
    modes: int | None,
    inputs: int | None,
) -> None:
    """Refuse more than one start, and half of a random one."""
    given = {
        "--embeddings": embeddings is not None,
        "--weights": weights is not None,
        "--variances": variances is not None,
        "--modes with --inputs": modes is not None or inputs is not None,
    }
    named = [flag for flag, is_given in given.items() if is_given]
    if len(named) > 1:
        message = f"There must be one start, not {len(named)}: choose {' or '.join(named)}."
        raise InvalidSetting(message)
    if (modes is None) != (inputs is None):
        message = "A random start needs both --modes and --inputs. Try --modes 10 --inputs 15."
        raise InvalidSetting(message)


def starting_variances(embeddings, weights, variances, modes, inputs, seed) -> NDArray:
    """Variances (modes,) of the start that was chosen; the published one if none was."""
    from eigendyn import start

    if embeddings is not None:
        return start.variances_from_embeddings(start.read_matrix(embeddings, "embeddings"))
    if weights is not None:
        return start.variances_from_weights(start.read_matrix(weights, "weights"))
    if variances is not None:
        return start.check_variances(variances)
    if modes is not None:
        return start.random_variances(modes, inputs, seed)
    return start.published_variances()


def starting_weights(embeddings, weights, variances, modes, inputs, seed) -> NDArray:
    """Weights (modes, inputs) of the start that was chosen; diagonal where it is a spectrum."""
    from eigendyn import start

    if weights is not None:
        return start.read_matrix(weights, "weights")
    if modes is not None:
        return start.random_weights(modes, inputs, seed)
    if embeddings is None and variances is None:
        return start.published_weights()
    spectrum = starting_variances(embeddings, weights, variances, modes, inputs, seed)
    return start.weights_from_variances(spectrum)
