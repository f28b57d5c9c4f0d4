"""Draw pairs of views of measured data, as minibatch descent takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.random import Generator
from numpy.typing import NDArray

from eigendyn.data.asked import read_augmentations
from eigendyn.data.augmentations import drawn
from eigendyn.results.labelled import check_data
from eigendyn.settings.checks import check_is, check_whole
from eigendyn.settings.keywords import takes

if TYPE_CHECKING:
    import xarray


@takes()
def draw_pairs(data: xarray.Dataset, count: int, rng: Generator) -> tuple[NDArray, NDArray]:
    """Draw pairs of views: samples with replacement, augmented twice, independently.

    x1 = T1 x + n1, x2 = T2 x + n2 with random maps T and noises n of each augmentation's own.

    Args:
        data: A result of `from_inputs`, `from_views` or `digits`, also loaded from its file.
        count: Number of pairs.
        rng: What draws: numpy.random.default_rng(seed).

    Returns:
        First and second views (count, inputs), less the mean of the inputs. Of measured views, the
        pairs themselves.

    Raises:
        InvalidSetting: Another dataset, no generator, or no whole number of pairs.

    Source: two views of a sample, augmented independently, as Grill et al. 2020 (BYOL) draw them.

    Examples:
        >>> x = np.random.default_rng(0).normal(size=(500, 3))
        >>> data = eigendyn.data.from_inputs(x, "noise:0.5")
        >>> view1, view2 = eigendyn.data.draw(data, 64, np.random.default_rng(1))
        >>> view1.shape
        (64, 3)
    """
    check_data(data)
    check_is("data", data, "sample" in data.sizes, "a whole dataset, with its inputs or views")
    check_whole("count", count, 1)
    check_is("rng", rng, isinstance(rng, Generator), "numpy.random.default_rng(seed)")
    rows = rng.integers(data.sizes["sample"], size=count)
    if "inputs" not in data:
        first, second = (data[name].values[rows].astype(float) for name in ("view1", "view2"))
        return first, second
    inputs = data["inputs"].values[rows].astype(float)
    shape = tuple(data.attrs.get("image_shape", inputs.shape[1:]))
    first, second = (
        drawn(inputs, read_augmentations(data.attrs[name], name), shape, rng)
        for name in ("augment", "augment2")
    )
    return first, second
