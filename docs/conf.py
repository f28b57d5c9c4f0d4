"""Build the documentation: `sphinx-build -W docs docs/_build`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from pages.copies import write_copies  # noqa: E402
from pages.reference import write_reference  # noqa: E402
from pages.tables import write_tables  # noqa: E402
from pages.theory import write_theory  # noqa: E402
from pages.tutorials import write_tutorials  # noqa: E402

import eigendyn  # noqa: E402

project = "eigendyn"
author = "The eigendyn developers"
copyright = "2026, the eigendyn developers"
release = version = eigendyn.__version__

extensions = [
    "myst_nb",
    "pages.breaks",
    "pages.links",
    "pages.mathml",
    "pages.pictures",
    "pages.signatures",
    "pages.words",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "pages.commands",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = [".jupyter_cache", "_build", "jupyter_execute", "pages"]
nitpicky = True  # a link inside the site that leads nowhere is an error
nitpick_ignore_regex = [("py:.*", ".*")]  # but types in signatures have no pages
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True  # what is printed is one block, however the kernel sends it
nb_ipywidgets_js = {}  # pictures stand in the place of widgets: no script from elsewhere
html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "eigendyn"
copybutton_exclude = ".linenos, .gp, .go"  # prompts, and what is printed
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"navbar_align": "left", "show_toc_level": 2, "footer_start": ["copyright"]}
html_sidebars = {name: [] for name in ("index", "start", "design")}  # no pages below them
html_show_sourcelink = False
toc_object_entries_show_parents = "hide"
smartquotes = False  # options begin with --
default_role = "code"  # docstrings write names as Markdown does
napoleon_custom_sections = [  # of "The axes: a line", "The axes" would pass for a type
    *((section, "notes_style") for section in ("Source", "Returns", "Yields"))
]

for pages in (write_tutorials, write_theory, write_reference, write_tables, write_copies):
    pages()

# Kernels take no settings from whoever builds, and do not warn of their own connection.
os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
profile = Path(os.environ["IPYTHONDIR"], "profile_default")
profile.mkdir()
(profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n")
