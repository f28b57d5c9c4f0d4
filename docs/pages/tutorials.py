"""Make tutorials of the notebooks, and the explorers that stand in them."""

from __future__ import annotations

import jupytext

from eigendyn.show.page.page import explorer_page
from pages.links import site_links
from pages.places import ROOT, listing, write

ORDER = (  # as one would read them
    "no_collapse",
    "first_tour",
    "phase_portraits",
    "your_embeddings",
    "your_data",
    "digits",
    "design_your_own_loss",
    "check_a_theory",
    "sweeps",
)
EXPLORERS = {
    "cosine": {"loss": "cosine"},
    "euclidean": {"loss": "euclidean", "weight_decay": 0.15},
}
HEAD = """# Tutorials

Learn here what eigendyn can tell you, one page after another. Each is a notebook too, in the folder
`notebooks` of the project; after it you can


"""


def write_tutorials() -> None:
    """Write them all.

    Raises:
        ValueError: A notebook has no place in the order, or the other way round.
    """
    there = {path.stem for path in (ROOT / "notebooks").glob("*.md")}
    if there != set(ORDER):
        message = f"Each notebook must stand in ORDER once: {there ^ set(ORDER)}."
        raise ValueError(message)
    texts = {}
    for name in ORDER:
        text = texts[name] = (ROOT / "notebooks" / f"{name}.md").read_text(encoding="utf-8")
        linked = site_links(text, f"notebooks/{name}.md", f"tutorials/{name}.ipynb")
        notebook = jupytext.reads(linked, fmt="md")
        for place, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{place}"  # the same each time, so that nothing runs again
        write(f"tutorials/{name}.ipynb", jupytext.writes(notebook, fmt="ipynb"))
    for name, settings in EXPLORERS.items():
        write(f"static/explorers/{name}.html", explorer_page(**settings))
    write("tutorials/index.md", HEAD + listing(texts))
