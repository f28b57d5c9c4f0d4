"""The verb: what it gives, that it goes on to the same numbers, and what it refuses."""

import json

import numpy as np
import pytest
import xarray

import eigendyn
from eigendyn.errors import InvalidSetting, UnreadableFile
from eigendyn.training import checkpoint as checkpoints
from eigendyn.training import loop
from tests.trained import trained as made_up

TINY = {
    "network": "mlp",
    "embedding": 3,
    "epochs": 4,
    "batch": 8,
    "saves": 3,
    "learning_rate": 0.003,
}


class Killed(Exception):
    pass


def blobs(count=40, pixels=6, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return np.abs(rng.normal(size=(count, pixels)) + 3 * labels[:, None]), labels


def trained(loss="iso-euclidean", **given):
    return eigendyn.train(loss, *blobs(), **{**TINY, "augment": "noise:0.1", **given})


def same(one, other):
    xarray.testing.assert_identical(one.drop_attrs(deep=False), other.drop_attrs(deep=False))


@pytest.fixture(scope="module")
def whole():
    return trained(seeds=2)


def test_a_result_says_what_was_learned_and_beside_what(whole):
    assert dict(whole.sizes) == {"seed": 2, "mode": 3, "time": 3}
    np.testing.assert_array_equal(whole["epoch"], [0, 2, 4])
    np.testing.assert_array_equal(whole["step"], [0, 8, 16])
    np.testing.assert_allclose(whole["time"], 0.003 * np.array([0, 8, 16]))
    assert ((whole["linear_accuracy"] >= 0) & (whole["linear_accuracy"] <= 1)).all()
    assert whole.attrs["raw_linear_accuracy"] > 0.5
    assert whole.attrs["status"] == "completed"
    assert json.loads(whole.attrs["settings"])["epochs"] == 4
    assert (np.diff(whole["variance"], axis=1) <= 0).all()
    assert set(whole.data_vars) == set(made_up().data_vars)  # which tests of pictures draw
    assert np.isnan(whole["loss"][:, 0]).all() and np.isfinite(whole["loss"][:, 1:]).all()


def test_the_same_seed_gives_the_same_numbers_and_each_seed_its_own(whole):
    same(trained(seeds=2), whole)
    assert not np.array_equal(whole["variance"][0], whole["variance"][1])


@pytest.mark.parametrize("interrupted", [1, 3, 5])
def test_training_goes_on_to_the_same_numbers(whole, tmp_path, monkeypatch, interrupted):
    path, observed, calls = tmp_path / "run.npz", loop.observe, []

    def killed(*args):
        calls.append(args)
        if len(calls) > interrupted:
            raise Killed
        return observed(*args)

    monkeypatch.setattr(loop, "observe", killed)
    with pytest.raises(Killed):
        trained(seeds=2, checkpoint=path)
    monkeypatch.setattr(loop, "observe", observed)
    same(trained(seeds=2, checkpoint=path), whole)
    calls.clear()
    monkeypatch.setattr(loop, "observe", killed)
    same(trained(seeds=2, checkpoint=path), whole)  # nothing is left to do
    assert not calls


def test_more_seeds_go_on_from_fewer(whole, tmp_path):
    path = tmp_path / "run.npz"
    trained(seeds=1, checkpoint=path)
    same(trained(seeds=2, checkpoint=path), whole)


def test_other_settings_or_images_are_refused_and_named(tmp_path):
    path = tmp_path / "run.npz"
    trained(checkpoint=path)
    with pytest.raises(InvalidSetting, match=r"epochs is 4 there and 5 here"):
        trained(checkpoint=path, epochs=5)
    with pytest.raises(InvalidSetting, match=r"images is .* there and .* here"):
        eigendyn.train(
            "iso-euclidean", *blobs(seed=1), checkpoint=path, augment="noise:0.1", **TINY
        )


def test_a_checkpoint_that_is_none_or_cut_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    trained(checkpoint=path)
    content = path.read_bytes()
    for wrong in (content[: len(content) // 2], b"no checkpoint", b""):
        path.write_bytes(wrong)
        with pytest.raises(UnreadableFile, match="not whole"):
            trained(checkpoint=path)
        assert path.read_bytes() == wrong


def test_an_interrupted_write_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    trained(seeds=1, checkpoint=path)
    before = path.read_bytes()

    def full(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.np, "savez", full)
    with pytest.raises(OSError, match=r"could not be written: No space left"):
        trained(seeds=2, checkpoint=path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_network_that_diverges_stops_and_says_when():
    result = trained("euclidean", learning_rate=1e5, seeds=2)
    assert list(result["status"].values) == ["diverged"] * 2
    stopped = result["stopped_epoch"].values
    assert (stopped >= 1).all()
    assert result.attrs["status"] == "diverged" and "diverged in epoch" in result.attrs["message"]
    late = result["epoch"].values >= stopped.max()
    assert np.isnan(result["variance"].values[..., late]).all()


def test_without_labels_there_is_no_readout():
    result = eigendyn.train("iso-euclidean", blobs()[0], augment="noise:0.1", **TINY)
    assert not {"linear_accuracy", "knn_accuracy"} & set(result.data_vars)
    assert "raw_linear_accuracy" not in result.attrs


@pytest.mark.full  # test_refusals.py trains one; network/test_written.py has its gradient
def test_a_written_loss_trains_as_the_one_with_its_name():
    own = eigendyn.parse_loss(
        "sum(z1*(lam*z1 - sg(lam*z1) - sg(z2 - lam*z1)))*0 + sum((z1 - sg(z2 + z1 - lam*z1))**2)/2"
    )
    found, named = trained(own), trained()
    np.testing.assert_allclose(found["variance"], named["variance"], rtol=1e-3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 5}, "counts `epochs`"),
        ({"sigma2": 0.1}, "differ by augmentations"),
        ({"correlation": "clean"}, "first view's correlation"),
        ({"epochs": 0}, "`epochs`"),
        ({"batch": 64}, "64"),
        ({"augment": "shift:1"}, "images"),
        ({"network": "conv"}, "mlp"),
    ],
)
def test_what_does_not_fit_is_refused(given, words):
    with pytest.raises(InvalidSetting, match=words):
        trained(**given)


def test_a_collapse_is_warned_of_while_training_runs(capsys):
    given = {"stop_gradient": False, "epochs": 30, "saves": 31, "learning_rate": 0.01}
    result = trained("euclidean", progress=True, **given)
    warned = float(result["warning_epoch"][0])
    assert warned <= 20
    said = capsys.readouterr().err
    assert f"Seed 0, epoch {warned:g}: The representation collapses" in said
    trained("euclidean", **given)
    assert not capsys.readouterr().err
