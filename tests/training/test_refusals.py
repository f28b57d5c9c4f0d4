"""Claims about training that cannot be done, or gone on with: one sentence, and no file is lost."""

import json
import sys

import numpy as np
import pytest

from eigendyn import parse_loss
from eigendyn.errors import EigendynError, InvalidSetting, NotInstalled, UnreadableFile
from eigendyn.training.checkpoint import FORMAT
from eigendyn.training.run import train

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 4
IMAGES = RNG.normal(size=(4, 6, 6))[LABELS] + 0.3 * RNG.normal(size=(40, 6, 6))
SMALL = {"network": "linear", "embedding": 4, "epochs": 3, "batch": 8, "saves": 4}


def trained(loss="euclidean", images=IMAGES, labels=LABELS, **other):
    return train(loss, images, labels, **{**SMALL, **other})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The content of a checkpoint of a training that is done."""
    path = tmp_path_factory.mktemp("training") / "run.npz"
    trained(checkpoint=path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"learning_rate": 0.01}, "learning_rate is 0.03 there and 0.01 here"),
        ({"epochs": 5}, "epochs is 3 there and 5 here"),
        ({"loss": "iso-euclidean"}, "loss is 'sum("),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"labels": LABELS[::-1]}, "images is"),
        ({"images": IMAGES + 1e-9}, "images is"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused_with_the_difference(
    tmp_path, checkpoint, other, words
):
    path = tmp_path / "run.npz"
    path.write_bytes(checkpoint)
    with pytest.raises(InvalidSetting) as refusal:
        trained(checkpoint=path, **other)
    assert words in str(refusal.value)
    assert path.read_bytes() == checkpoint


@pytest.mark.parametrize("size", [0, 300, -400, -1])
def test_half_a_checkpoint_is_refused_and_stays(tmp_path, checkpoint, size):
    path = tmp_path / "run.npz"
    path.write_bytes(checkpoint[:size])
    with pytest.raises(UnreadableFile, match="or not whole"):
        trained(checkpoint=path)
    assert path.read_bytes() == checkpoint[:size]


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": IMAGES},
        {"about": np.array("[]")},
        {"about": np.array(json.dumps({"format": FORMAT}))},
        {"about": np.array([None], dtype=object)},
    ],
)
def test_an_archive_that_is_no_checkpoint_is_refused_and_stays(tmp_path, arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    before = path.read_bytes()
    with pytest.raises(UnreadableFile, match="must be a checkpoint"):
        trained(checkpoint=path)
    assert path.read_bytes() == before


def test_a_checkpoint_of_another_network_is_refused(tmp_path, checkpoint):
    path = tmp_path / "run.npz"
    path.write_bytes(checkpoint)
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"])) | {"leaves": 1, "done": 0, "seed": 0}
    np.savez(path, **{**arrays, "about": np.array(json.dumps(about)), "leaf0": np.zeros(3)})
    with pytest.raises(UnreadableFile, match="must be a checkpoint"):
        trained(checkpoint=path)


def test_a_network_that_diverges_stops_and_leaves_its_last_good_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    found = trained(learning_rate=0.3, momentum=0.0, epochs=40, saves=41, checkpoint=path)
    (epoch,) = found["stopped_epoch"].values
    assert found["status"].values.tolist() == ["diverged"]
    assert f"diverged in epoch {epoch:g}" in found.attrs["message"]
    assert epoch > 1
    with np.load(path) as file:
        about = json.loads(str(file["about"]))
        assert about["epoch"] == epoch - 1
        assert all(np.isfinite(file[f"leaf{place}"]).all() for place in range(about["leaves"]))
    again = trained(learning_rate=0.3, momentum=0.0, epochs=40, saves=41, checkpoint=path)
    assert again["variance"].equals(found["variance"])
    assert again["stopped_epoch"].equals(found["stopped_epoch"])


def test_a_seed_is_any_whole_number_and_a_loss_without_a_predictor_trains_without_one():
    found = trained(parse_loss("sum((z1 - sg(z2))**2)/2"), seed=2**70, epochs=1)
    assert found["status"].values.tolist() == ["completed"]
    assert json.loads(found.attrs["settings"])["predictor"] == "none"


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(NotInstalled, match=r'optax\. Try pip install "eigendyn\[train\]"'):
        trained()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"images": "digts"}, "'digits'"),
        ({"images": "digits"}, "bring their labels"),
        ({"images": None}, "Images must be a matrix"),
        ({"loss": "deep-linear"}, "is a model"),
        ({"steps": 5}, "epochs"),
        ({"seeds": 0}, "seeds"),
        ({"batch": 33}, "at most 32"),
        ({"correlation": "clean"}, "Leave it out"),
        ({"sigma1": 0.1}, "sigma1"),
        ({"images": IMAGES.reshape(40, -1), "network": "conv"}, "network='mlp'"),
        ({"checkpoint": "nowhere/run.npz"}, "Make it first"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(other, words):
    with pytest.raises(EigendynError) as refusal:
        trained(**other)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
