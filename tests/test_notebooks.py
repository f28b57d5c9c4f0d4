"""Every notebook runs from its first cell to its last."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.md"))


def test_there_are_five():
    assert len(NOTEBOOKS) == 5


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # of Jupyter's own machinery
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if "tour" in n else pytest.mark.full) for n in NOTEBOOKS]
)
def test_it_runs(name, tmp_path, monkeypatch):
    jupytext, nbclient = map(pytest.importorskip, ("jupytext", "nbclient"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = jupytext.read(FOLDER / name)
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) >= 5
    outputs = [output for cell in cells for output in cell.outputs]
    assert any(output.output_type in ("display_data", "execute_result") for output in outputs)
