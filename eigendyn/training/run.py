"""Train networks on images: the verb."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import DATA_SOURCES, LOSS_ROWS, check_choice, loss_name
from eigendyn.settings.installed import check_installed
from eigendyn.settings.keywords import takes
from eigendyn.settings.training import Training
from eigendyn.theory.losses import SymbolicLoss, chosen_loss
from eigendyn.training.checkpoint import check_checkpoint
from eigendyn.training.image_files import read_images
from eigendyn.training.images import Images, digits_images, split_images

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike

    from eigendyn.settings.given import GivenTraining


@takes(Training)
def train(
    loss: str | SymbolicLoss,
    images: str | Path | ArrayLike | Images = "digits",
    labels: ArrayLike | None = None,
    *,
    seeds: int = 1,
    checkpoint: str | Path | None = None,
    progress: bool = False,
    **settings: Unpack[GivenTraining],
) -> xarray.Dataset:
    r"""Train networks on images without labels, and measure what they learn.

    In every step two views of each image of a batch are drawn, z1 = g(f(x1)), z2 = g(f(x2)) (of
    an EMA target, where there is one), p = W_P z1, and the mean loss is descended:

        θ ← θ − η v,  v ← μ v + ∇ℓ + ω θ;  C ← m C + (1 − m) ⟨z1 z1ᵀ⟩

    The predictor W_P is a constant for differentiation unless it is learned. Labels are used by
    the readouts only, of features f(x) on images that are kept apart. Readouts fit the images that
    are trained on, of more than 10,000 so many of them, always the same ones; `readout_images` of
    the result says how many.

    Args:
        loss: Name of a loss, or a loss of your own.
        images: "digits", scikit-learn's 1,797 handwritten digits; a file (.npz) with images and
            labels; or images × height × width, grey, or vectors.
        labels: Class of every image; None leaves out the readouts.
        seeds: Number of networks, of different first weights, batches and augmentations.
        checkpoint: File (.npz) from which training goes on if it exists, written whenever is
            measured; the numbers are those of training that was never interrupted.
        progress: Show a progress bar, with the readout, on a terminal, and warnings on standard
            error.
        settings: Fields of `training.Training`, but for the loss and `steps`.

    Returns:
        Dataset over seed, mode and time: spectrum, noises, predictor, readouts, rank, alignment,
        loss; and the theory's forecast of the spectrum, from early epochs on. Its `status` says
        whether all networks were trained to the end.

    Raises:
        UnknownName, InvalidSetting, InvalidSpectrum: Settings, images or labels that do not do.
        InvalidExpression: A loss that cannot be written as a function of batches.
        DeviceUnavailable: There is no such device.
        UnreadableFile, OutputExists: A file that is no checkpoint, or cannot be written.
        NotInstalled: Equinox or Optax, of the extra `train`, is missing.

    Source: Tian et al. 2021 (DirectPred) and Halvagal et al. 2023, their training on images.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> images = rng.normal(size=(128, 3)) @ rng.normal(size=(3, 16)) / 3
        >>> small = {"network": "mlp", "embedding": 3, "batch": 32, "augment": "noise:0.1"}
        >>> result = eigendyn.train("euclidean", images, **small, epochs=2)
        >>> result.status.values.tolist()
        ['completed']
    """
    check_installed("train")
    from eigendyn.training.seeds import train_seeds

    name = loss_name(loss)
    own = loss if isinstance(loss, SymbolicLoss) else None
    if own is None:
        check_choice("loss", name, LOSS_ROWS)
    if "steps" in settings:
        message = "Training on images counts `epochs`; `steps` follow from them. Leave it out."
        raise InvalidSetting(message)
    given: dict[str, Any] = dict(settings)
    if own is not None and not own.has_predictor:
        given.setdefault("predictor", "none")  # the usual one would do nothing
    chosen = Training(loss=name, **given)
    seeds = check_whole("seeds", seeds, 1)
    path = None if checkpoint is None else check_checkpoint(checkpoint)
    given_loss = name if own is None else own
    chosen_loss(given_loss, chosen)  # refuses what does not fit
    return train_seeds(chosen, given_loss, _images(images, labels), seeds, path, progress)


def _images(images: str | Path | ArrayLike | Images, labels: ArrayLike | None) -> Images:
    if isinstance(images, Path) or (isinstance(images, str) and Path(images).suffix):
        found = read_images(images)
    elif isinstance(images, str):
        check_choice("source of images", images, DATA_SOURCES)
        found = digits_images()
    elif isinstance(images, Images):
        found = images
    else:
        return split_images(images, labels)
    if labels is not None:
        message = f"The images of {found.name} bring their labels. Leave `labels` out."
        raise InvalidSetting(message)
    return found
