"""Claims about images: how they are split, and what is refused with which hint."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from eigendyn.data.asked import read_augmentations
from eigendyn.errors import EigendynError, UnreadableFile
from eigendyn.training.image_files import read_images
from eigendyn.training.images import (
    check_augmentations,
    check_batch,
    check_network,
    digits_images,
    split_images,
)

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, size=(30, 5, 6)).astype(np.uint8)
LABELS = np.arange(30) % 3


def test_the_digits_are_split_as_anyone_splits_them_with_scikit_learn():
    found = digits_images()
    x, y = load_digits(return_X_y=True)
    train, test, train_y, test_y = train_test_split(
        x / 16, y, test_size=0.2, stratify=y, random_state=0
    )
    np.testing.assert_array_equal(found.train, train)
    np.testing.assert_array_equal(found.test, test)
    np.testing.assert_array_equal(found.train_labels, train_y)
    np.testing.assert_array_equal(found.test_labels, test_y)
    assert (found.train.shape, found.test.shape, found.shape) == ((1437, 64), (360, 64), (8, 8))
    assert found.classes == tuple("0123456789")


def test_every_image_is_in_one_part_with_its_label_and_scaled():
    found = split_images(GREY, LABELS)
    rows = np.concatenate([found.train, found.test])
    labels = np.concatenate([found.train_labels, found.test_labels])
    given = dict(zip(map(bytes, GREY.reshape(30, -1)), LABELS, strict=True))
    seen = dict(zip(map(bytes, np.rint(rows * 255).astype(np.uint8)), labels, strict=True))
    assert seen == given
    assert np.bincount(found.test_labels).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.astype(float),
        LABELS[:, None],
        LABELS.tolist(),
        np.array(list("abc"))[LABELS],
        np.array(list("abc"))[LABELS].astype(object),
        np.array(list("abc"))[LABELS].astype(bytes),
    ],
)
def test_labels_are_whole_numbers_or_text(labels):
    np.testing.assert_array_equal(
        split_images(GREY, labels).test_labels, split_images(GREY, LABELS).test_labels
    )


def test_the_fewest_images_of_many_classes_still_leave_one_of_each_to_train_on():
    found = split_images(GREY[:20], np.repeat(np.arange(10), 2))
    assert sorted(set(found.train_labels)) == list(range(10))
    assert len(found.test) == 10


def test_without_labels_there_are_none():
    found = split_images(GREY)
    assert (len(found.train), len(found.test)) == (24, 6)
    assert found.train_labels is found.test_labels is None
    assert found.classes == ()


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((30, 8, 8, 3)), None, "images.mean(axis=3)"),
        (np.zeros((30, 3, 8, 8)), None, "images.mean(axis=1)"),
        (np.zeros((30, 8, 8, 1)), None, "with channels, 30 × 8 × 8 × 1"),
        (np.zeros((30, 8, 8)), None, "must vary"),
        (np.zeros(30), None, "samples × height × width"),
        (np.full((30, 8, 8), np.nan), None, "finite"),
        ([[1, 2], [3]], None, "Images"),
        (["a", "b"], None, "Images"),
        (GREY[:0], None, "Images"),
        (GREY[:1], None, "at least two"),
        (GREY[:2], None, "three images or more"),
        (GREY, LABELS[:29], "one for each of the 30 images, not 29"),
        (GREY, np.eye(3)[LABELS], "labels.argmax(axis=1)"),
        (GREY, 3, "a single one"),
        (GREY, [[1], [2, 3]], "one for each"),
        (GREY, LABELS + 0.5, "not 0.5"),
        (GREY, np.where(LABELS > 1, np.nan, LABELS), "not nan"),
        (GREY, np.array([object()] * 30), "an object of type object"),
        (GREY, LABELS + 1j, "complex"),
        (GREY, np.zeros(30, int), "two classes or more; all are '0'"),
        (GREY, np.arange(30), "'0' has one"),
    ],
)
def test_bad_images_and_labels_are_refused_in_one_line(images, labels, words):
    with pytest.raises(EigendynError) as refusal:
        split_images(images, labels)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "names", [("images", "labels"), ("x", "y"), ("X", "y"), ("data", "target")]
)
def test_files_are_read_by_the_names_of_public_ones(tmp_path, names):
    path = tmp_path / "mine.npz"
    np.savez(path, **dict(zip(names, (GREY, LABELS), strict=True)))
    found, same = read_images(path), split_images(GREY, LABELS)
    np.testing.assert_array_equal(found.train, same.train)
    np.testing.assert_array_equal(found.test_labels, same.test_labels)
    assert found.name == "mine.npz"


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_a_test_set_of_a_file_stays_one(tmp_path, names):
    path = tmp_path / "mnist.npz"
    np.savez(
        path, **dict(zip(names, (GREY[:24], LABELS[:24], GREY[24:], LABELS[24:]), strict=True))
    )
    found = read_images(path)
    np.testing.assert_array_equal(found.train, GREY[:24].reshape(24, -1) / 255)
    np.testing.assert_array_equal(found.test, GREY[24:].reshape(6, -1) / 255)
    np.testing.assert_array_equal(found.test_labels, LABELS[24:])


def test_images_alone_have_no_labels(tmp_path):
    np.save(tmp_path / "x.npy", GREY)
    assert read_images(tmp_path / "x.npy").train_labels is None


WORDS = np.array(["a", "b", "c"] * 10, dtype=object)
SPLIT = {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:5], "y_test": LABELS[:5]}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": GREY, "labels": WORDS}, "'labels' holds Python objects"),
        ({"images": WORDS, "labels": LABELS}, "'images' holds Python objects"),
        ({"labels": LABELS}, "it holds labels"),
        ({"arr_0": GREY, "arr_1": LABELS}, "it holds arr_0, arr_1"),
        ({}, "it holds none"),
        (SPLIT | {"x_test": GREY[:5, :4]}, "trained on, 30 × 5 × 6, not 5 × 4 × 6"),
        (SPLIT | {"y_test": LABELS[:5] + 9}, "none of these is of class '9'"),
        (SPLIT | {"y_test": LABELS[:4]}, "one for each of the 5 images, not 4"),
        (SPLIT | {"x_test": GREY[:0], "y_test": LABELS[:0]}, "images to test on"),
        ({"x_train": GREY, "x_test": GREY[:5], "y_train": LABELS}, "those tested on have none"),
    ],
)
def test_bad_archives_are_refused_in_one_line(tmp_path, arrays, words):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(EigendynError) as refusal:
        read_images(tmp_path / "bad.npz")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.npz", None, "does not exist"),
        ("images.csv", b"1,2\n", "are read from .npy, .npz"),
        ("images.npz", b"", "it is empty"),
        ("images.npz", b"PK\x03\x04\xff\x00half an archive", "could not be read"),
        ("images.npz", b"1,2\n3,4\n", "text"),
        ("images.npy", b"\x80\x04\x95pickle\xff", "never loaded"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile) as refusal:
        read_images(tmp_path / name)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_images_must_suffice_for_a_batch_and_suit_network_and_augmentations():
    images, vectors = split_images(GREY), split_images(GREY.reshape(30, 30))
    small = split_images(GREY[:, :3])
    shifted, noisy = (read_augmentations(text, "augment") for text in ("shift:5", "noise:0.1"))
    check_batch(images, 24)
    check_network(images, "conv")
    check_network(vectors, "mlp")
    check_augmentations(vectors, noisy)
    for check, words in (
        (lambda: check_batch(images, 25), "at most 24"),
        (lambda: check_network(vectors, "conv"), "network='mlp'"),
        (lambda: check_network(small, "conv"), "not 3 × 6"),
        (lambda: check_augmentations(images, shifted), "5 × 6, not 5"),
        (lambda: check_augmentations(vectors, (*noisy, *shifted)), "shift needs images"),
    ):
        with pytest.raises(EigendynError) as refusal:
            check()
        assert words in str(refusal.value)
