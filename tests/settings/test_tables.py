"""Claims about tables of text: measurements are kept, and everything else is left out and named."""

import gzip

import numpy as np
import pandas as pd
import pytest

from eigendyn.errors import UnreadableFile
from eigendyn.settings.matrix_files import read_matrix

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(30, 4))
CLASSES = RNG.integers(0, 10, 30)
SHUFFLED = RNG.permutation(1000)[:30]
PLAIN = pd.DataFrame(Z)
NAMED = PLAIN.set_axis(["PC1", "PC2", "PC3", "PC4"], axis=1)
DAYS = pd.date_range("2024-01-01", periods=30)


def _rows(delimiter=",", decimal=".", names=None, end="\n"):
    """Lines of numbers, after a name each if there are some, as R, polars or Excel write them."""
    cells = [[f"{number:.17g}".replace(".", decimal) for number in row] for row in Z]
    if names is not None:
        cells = [[name, *row] for name, row in zip(names, cells, strict=True)]
    return "".join(delimiter.join(row) + end for row in cells)


def _counted(quote=""):
    return [f"{quote}{row + 1}{quote}" for row in range(30)]


def _text(text, encoding="utf-8"):
    return lambda path: path.write_bytes(text.encode(encoding))


# name: (writer, what is left out)
PANDAS = {
    "index and names": (lambda path: NAMED.to_csv(path), "header, index column"),
    "names": (lambda path: NAMED.to_csv(path, index=False), "header"),
    "index and numbers": (lambda path: PLAIN.to_csv(path), "header, index column"),
    "numbers": (lambda path: PLAIN.to_csv(path, index=False), "header"),
    "index alone": (lambda path: PLAIN.to_csv(path, header=False), "first column of row numbers"),
    "nothing": (lambda path: PLAIN.to_csv(path, header=False, index=False), ""),
    "named index": (
        lambda path: NAMED.to_csv(path, index_label="image_id"),
        "header, index column 'image_id'",
    ),
    "index of text": (
        lambda path: NAMED.set_axis([f"cat {row}.png" for row in range(30)]).to_csv(path),
        "header, index column",
    ),
    "index of dates": (lambda path: NAMED.set_axis(DAYS).to_csv(path), "header, index column"),
    "index twice": (
        lambda path: NAMED.set_axis(SHUFFLED).reset_index().to_csv(path),
        "header, index column, index column 'index'",
    ),
    "index written and read again": (
        lambda path: NAMED.assign(**{"Unnamed: 0": range(30)}).to_csv(path),
        "header, index column, index column 'Unnamed: 0'",
    ),
    "shuffled index alone": (
        lambda path: PLAIN.set_axis(SHUFFLED).to_csv(path, header=False),
        "whole-number column 1",
    ),
    "label": (
        lambda path: NAMED.assign(label=CLASSES).to_csv(path, index=False),
        "header, label column 'label'",
    ),
    "label beside numbers": (
        lambda path: PLAIN.assign(Target=CLASSES * 1.0).to_csv(path, index=False),
        "header, label column 'Target'",
    ),
    "label under a name of its own": (
        lambda path: NAMED.assign(animal=CLASSES).to_csv(path, index=False),
        "header, whole-number column 'animal'",
    ),
    "words, dates, truth values": (
        lambda path: NAMED.assign(kind="a, b", day=DAYS, good=Z[:, 0] > 0).to_csv(path),
        "header, index column, text column 'kind', text column 'day', text column 'good'",
    ),
    "tabs": (lambda path: NAMED.to_csv(path, sep="\t"), "header, index column"),
    "German": (
        lambda path: NAMED.to_csv(path, sep=";", decimal=",", encoding="cp1252"),
        "header, index column; decimal commas",
    ),
    "quotes": (lambda path: NAMED.to_csv(path, quoting=1), "header, index column"),
    "byte order mark": (
        lambda path: NAMED.to_csv(path, encoding="utf-8-sig"),
        "header, index column",
    ),
    "UTF-16": (
        lambda path: NAMED.to_csv(path, encoding="utf-16", sep="\t"),
        "header, index column",
    ),
}
OTHERS = {
    "savetxt": (lambda path: np.savetxt(path, Z), ""),
    "savetxt with commas": (lambda path: np.savetxt(path, Z, delimiter=","), ""),
    "savetxt with comments": (
        lambda path: np.savetxt(
            path, Z, delimiter=", ", header="from a run\na, b, c, d", footer="e"
        ),
        "header",
    ),
    "savetxt with a label": (
        lambda path: np.savetxt(path, np.c_[Z, CLASSES], header="a b c d y"),
        "header, label column 'y'",
    ),
    "savetxt with labels nobody named": (
        lambda path: np.savetxt(path, np.c_[Z, CLASSES]),
        "whole-number column 5",
    ),
    "R write.csv": (
        _text('"","V1","V2","V3","V4"\n' + _rows(names=_counted('"'))),
        "header, index column",
    ),
    "R write.csv2": (
        _text('"";"V1";"V2";"V3";"V4"\n' + _rows(";", ",", _counted('"'))),
        "header, index column; decimal commas",
    ),
    "R write.table": (
        _text('"V1" "V2" "V3" "V4"\n' + _rows(" ", names=_counted('"'))),
        "header, index column",
    ),
    "R write.table without names": (_text(_rows(" ", ",")), "; decimal commas"),
    "polars": (_text("column_0,column_1,column_2,column_3\n" + _rows()), "header"),
    "Excel in Germany": (
        _text("sep=;\r\nNr;Größe;b;c;d\r\n" + _rows(";", ",", _counted(), "\r\n"), "cp1252"),
        "header, index column 'Nr'; decimal commas",
    ),
    "Excel with empty rows": (
        _text("a,b,c,d\r\n" + _rows(end="\r\n") + ",,,\r\n,,,\r\n"),
        "header",
    ),
    "a delimiter at the end": (_text("a,b,c,d,\n" + _rows(end=",\n")), "header, empty column"),
    "a delimiter at the end of rows": (
        _text("a,b,c,d\n" + _rows(end=",\n")),
        "header, empty column",
    ),
    "a heading like a comment": (
        _text("#,a,b,c,d\n" + _rows(names=_counted())),
        "header, index column",
    ),
    "row numbers of no known name": (
        _text("which,a,b,c,d\n" + _rows(names=_counted())),
        "header, first column of row numbers",
    ),
    "spaces of any number": (_text("  " + _rows("   ", end="  \n  ")), ""),
    "text before numbers": (_text(_rows(names=["Iris setosa"] * 30)), "text column 1"),
    "gzip": (lambda path: path.write_bytes(gzip.compress(_rows().encode())), ""),
}


@pytest.mark.parametrize(
    ("write", "left_out"), [*PANDAS.values(), *OTHERS.values()], ids=[*PANDAS, *OTHERS]
)
def test_exactly_the_measurements_of_an_export_are_read(tmp_path, write, left_out):
    """To a relative 1e-15: older pandas rounds the last digit."""
    path = tmp_path / "z.csv"
    write(path)
    matrix = read_matrix(path, "embeddings")
    np.testing.assert_allclose(matrix.values, Z, rtol=1e-15)
    said = ", ".join(matrix.left_out) + (f"; {matrix.remark}" if matrix.remark else "")
    assert said == left_out


@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".tsv", ".txt", ".csv.gz"])
def test_a_table_may_have_any_of_its_usual_endings(tmp_path, suffix):
    NAMED.to_csv(tmp_path / f"z{suffix}", sep="\t" if "t" in suffix else ",")
    assert read_matrix(tmp_path / f"z{suffix}", "embeddings").values.shape == (30, 4)


def test_whole_numbers_that_were_measured_are_kept(tmp_path):
    """As pixels are: the label goes by its name, and a number is no label beside its like."""
    pixels = pd.DataFrame(RNG.integers(0, 17, (40, 5))).add_prefix("pixel")
    pixels.assign(target=RNG.integers(0, 10, 40)).to_csv(tmp_path / "z.csv", index=False)
    matrix = read_matrix(tmp_path / "z.csv", "embeddings")
    np.testing.assert_array_equal(matrix.values, pixels)
    assert matrix.left_out == ("header", "label column 'target'")


def test_coordinates_called_x_and_y_are_kept(tmp_path):
    pd.DataFrame(Z[:, :2], columns=["x", "y"]).to_csv(tmp_path / "z.csv")
    assert read_matrix(tmp_path / "z.csv", "embeddings").values.shape == (30, 2)


def test_a_silent_unit_is_kept(tmp_path):
    np.savetxt(tmp_path / "z.csv", Z * [1, 1, 0, 1], delimiter=",")
    assert read_matrix(tmp_path / "z.csv", "embeddings").values.shape == (30, 4)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,2\n3,4\n", 2),
        ("0,1\n1,0\n", 2),
        ("1,0.5\n0,0.25\n", 2),
        ("0,1,2\n0.5,0.25,0.1\n0.3,0.2,0.7\n", 2),
        ("3,5,8\n0.5,0.25,0.1\n0.3,0.2,0.7\n", 2),
        ("5,3,8\n0.5,0.25,0.1\n0.3,0.2,0.7\n", 3),
        ("0.0,1.0,2.0\n0.5,0.25,0.1\n", 2),
    ],
)
def test_a_first_row_is_a_heading_only_if_it_counts_upwards_in_whole_numbers(tmp_path, text, rows):
    (tmp_path / "w.csv").write_text(text)
    assert len(read_matrix(tmp_path / "w.csv", "weights").values) == rows


def test_labels_are_looked_for_among_samples_only(tmp_path):
    np.savetxt(tmp_path / "w.csv", np.c_[Z, CLASSES], delimiter=",")
    assert read_matrix(tmp_path / "w.csv", "weights").values.shape == (30, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,,3\n4,5,6\n", "line 1, column 2 is empty"),
        ("1,2,x3\n4,5,6\n", "line 1, column 3 is 'x3'"),
        ("1;2,3\n4,5,6\n", "line 2 has 3 cells instead of 2"),
        (",1,2\n4,5,6\n", "line 1, column 1 is empty"),
        ("a,b\n1,2\n# why\n\n3,\n", "line 5, column 'b' is empty"),
        ("a;b\n1,5;2,5\n3,5;2.5\n", "line 3, column 'b' is '2.5'"),
        ("a,b\n1,2\n3,NA\n", "line 3, column 'b' is 'NA'"),
        ("1,2\n3,nan\n", "line 2, column 2 is 'nan'"),
        ("1,2\n3,inf\n", "line 2, column 2 is 'inf'"),
        ("NA,NA\n3,4\n5,6\n", "line 1, column 1 is 'NA'"),
        ("1,2\n3\n", "line 2, column 2 is empty"),
        ("1,2\n3,4\n\n5,6,7\n", "line 4 has 3 cells instead of 2"),
        ("a,b\nc,d\n", "none of its columns holds measurements .left out: text column 1"),
        ("a,b\n", "none of its columns"),
        ("True,False\nFalse,True\n", "none of its columns"),
        ('a,b\n"1,234",2\n"5,678",3\n', "one dimension"),
        ("0.05,0.3,1,2\n", r"one line of numbers .4 in all.*`variances=.0.05,0.3,1,2.`\."),
        ("0.05\n0.3\n1.5\n", "one dimension .3 in all"),
    ],
)
def test_what_is_no_table_of_measurements_is_refused_where_it_is_wrong(tmp_path, text, words):
    (tmp_path / "z.csv").write_text(text)
    with pytest.raises(UnreadableFile, match=words) as refusal:
        read_matrix(tmp_path / "z.csv", "embeddings")
    assert "z.csv" in str(refusal.value)
    assert "\n" not in str(refusal.value)
