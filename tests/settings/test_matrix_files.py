"""Claims about files of arrays and tensors: what is read, and what is refused with which hint."""

import sys

import numpy as np
import pytest

from eigendyn.errors import EigendynError, InvalidSpectrum, UnreadableFile
from eigendyn.settings.matrix_files import read_matrix

Z = np.random.default_rng(0).normal(size=(7, 3))


@pytest.mark.parametrize("arrays", [{"embeddings": Z, "other": Z[:3]}, {"features": Z}])
def test_an_archive_gives_the_array_of_the_name_or_the_only_one(tmp_path, arrays):
    np.savez(tmp_path / "z.npz", **arrays)
    np.testing.assert_array_equal(read_matrix(tmp_path / "z.npz", "embeddings").values, Z)


def test_an_archive_gives_its_only_matrix_beside_labels(tmp_path):
    words = np.array(["a"] * 7, dtype=object)
    np.savez(tmp_path / "z.npz", X=Z, y=np.arange(7), words=words)
    matrix = read_matrix(tmp_path / "z.npz", "embeddings")
    np.testing.assert_array_equal(matrix.values, Z)
    assert matrix.left_out == ("array 'y'", "array 'words'")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_arrays_are_read_as_they_were_saved(tmp_path, dtype):
    np.save(tmp_path / "z.npy", Z.astype(dtype))
    matrix = read_matrix(tmp_path / "z.npy", "embeddings")
    np.testing.assert_array_equal(matrix.values, Z.astype(dtype))
    assert matrix.stored == dtype


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
@pytest.mark.parametrize("holder", ["tensor", "parameter", "dictionary", "pair", "bfloat16", "old"])
def test_tensors_are_read_as_they_were_saved(tmp_path, suffix, holder):
    torch = pytest.importorskip("torch")
    path, z = tmp_path / f"z{suffix}", torch.tensor(Z, dtype=torch.float32)
    z = z.to(torch.bfloat16) if holder == "bfloat16" else z
    holders = {
        "parameter": torch.nn.Parameter(z),
        "dictionary": {"z": z, "labels": torch.arange(7), "epoch": 3},
        "pair": (z, torch.arange(7)),
    }
    saved = holders.get(holder, z)
    torch.save(saved, path, _use_new_zipfile_serialization=holder != "old")
    matrix = read_matrix(path, "embeddings")
    np.testing.assert_array_equal(matrix.values, z.double().numpy())
    assert matrix.stored == ("bfloat16" if holder == "bfloat16" else "float32")


def test_the_state_of_a_linear_layer_gives_its_weights(tmp_path):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(5, 4)
    torch.save(layer.state_dict(), tmp_path / "w.pt")
    matrix = read_matrix(tmp_path / "w.pt", "weights")
    np.testing.assert_array_equal(matrix.values, layer.weight.detach().double().numpy())
    assert matrix.left_out == ("'bias'",)


def test_a_pickled_module_is_refused_without_advice_to_load_it(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(5, 4), tmp_path / "w.pt")
    with pytest.raises(UnreadableFile, match="Python objects, which are never loaded") as refusal:
        read_matrix(tmp_path / "w.pt", "weights")
    assert "weights_only" not in str(refusal.value)


def test_without_torch_a_tensor_is_refused_with_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "z.pt").write_bytes(b"PK\x03\x04\x00\xff")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UnreadableFile, match=r"Install torch, or .* numpy\.save"):
        read_matrix(tmp_path / "z.pt", "embeddings")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0.05, 0.3, 1, 2]), "one line of numbers .4 in all.*variances=.0.05,0.3,1,2."),
        (np.array([[0.05, 0.3, 1, 2]]), "one line of numbers .4 in all.*variances=.0.05,0.3,1,2."),
        (np.array([[0.5], [0.3]]), r"one dimension .2 in all.*variances=.0.5,0.3."),
        (np.linspace(1, 2, 500), r"500 in all.*variances=.0.05,0.3,1,2."),
    ],
)
def test_a_list_of_numbers_is_no_matrix_of_embeddings(tmp_path, values, words):
    np.save(tmp_path / "z.npy", values)
    with pytest.raises(UnreadableFile, match=words):
        read_matrix(tmp_path / "z.npy", "embeddings")


def test_an_encoder_may_have_one_mode(tmp_path):
    np.save(tmp_path / "w.npy", np.ones((1, 3)))
    assert read_matrix(tmp_path / "w.npy", "weights").values.shape == (1, 3)


def test_a_pickle_is_refused_without_advice_to_load_it(tmp_path):
    path = tmp_path / "z.npy"
    _object_array(path)
    with pytest.raises(UnreadableFile, match="Python objects, which are never loaded") as refusal:
        read_matrix(path, "embeddings")
    assert "allow_pickle" not in str(refusal.value)


def test_a_name_too_long_for_any_file_does_not_exist():
    with pytest.raises(UnreadableFile, match="does not exist"):
        read_matrix("n" * 5000 + ".npy", "embeddings")


def _header(text):
    return b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117) + b"\n"


def _object_array(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _array_named_otherwise(path):
    with path.open("wb") as file:
        np.save(file, Z)


BAD_FILES = {
    "missing.npy": (lambda _: None, "does not exist"),
    "folder.npy": (lambda path: path.mkdir(), "is a folder"),
    "unknown.xlsx": (lambda path: path.write_text("1,2"), "is none of these"),
    "empty.npy": (lambda path: path.write_bytes(b""), "it is empty"),
    "empty.npz": (lambda path: path.write_bytes(b""), "it is empty"),
    "empty.csv": (lambda path: path.write_text(""), "it is empty"),
    "blank.csv": (lambda path: path.write_text("\n,,\n# none\n"), "holds no rows"),
    "text.npy": (lambda path: path.write_text("a,b\n1,2\n3,4\n"), r"it is text; name it text\.csv"),
    "long_text.npz": (lambda path: path.write_text("µ,é\n" * 999), r"name it long_text\.csv"),
    "array.csv": (_array_named_otherwise, r"NumPy array; name it \.npy"),
    "sheet.csv": (lambda path: path.write_bytes(b"PK\x03\x04\x14\x00"), r"Excel as \.csv"),
    "garbage.npy": (lambda path: path.write_bytes(b"\x00not numpy at all"), "numpy.save"),
    "header.npy": (lambda path: path.write_bytes(_header(b"{'descr': ((((")), "numpy.save"),
    "huge.npy": (
        lambda path: path.write_bytes(
            _header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000, 5)}")
        ),
        "could not be read",
    ),
    "garbage.npz": (lambda path: path.write_bytes(b"PK\x03\x04\x00 not a zip"), "numpy.save"),
    "garbage.csv.gz": (lambda path: path.write_bytes(b"\x1f\x8b\x00 no gzip"), "numpy.save"),
    "binary.csv": (lambda path: path.write_bytes(b"\xff\xfe\x00\x01"), "none of its columns"),
    "pickled.npy": (_object_array, "never loaded"),
    "two.npz": (lambda path: np.savez(path, a=Z, b=Z), "it holds a, b"),
    "flat_ones.npz": (lambda path: np.savez(path, a=Z[0], b=Z[0]), "it holds a, b"),
    "nothing.npz": (lambda path: np.savez(path), "it holds none"),
    "infinite.npy": (lambda path: np.save(path, Z * [1, 1, np.inf]), "column 2 is"),
    "cube.npy": (lambda path: np.save(path, np.ones((2, 2, 2))), r"shape is \(2, 2, 2\)"),
    "no_rows.npy": (lambda path: np.save(path, np.ones((0, 4))), r"shape is \(0, 4\)"),
    "complex.npy": (lambda path: np.save(path, np.ones((2, 2), dtype=complex)), "complex128"),
    "words.npy": (lambda path: np.save(path, np.array([["a", "b"]])), "real numbers"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused_by_name_with_a_hint(tmp_path, name):
    path = tmp_path / name
    write, words = BAD_FILES[name]
    write(path)
    with pytest.raises((UnreadableFile, InvalidSpectrum), match=words) as refusal:
        read_matrix(path, "embeddings")
    assert isinstance(refusal.value, EigendynError)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)
