"""Claims about docstrings: modules say what they do, and public names what they take."""

import ast
import inspect
import re
from operator import attrgetter
from pathlib import Path

import pytest
from public import public_names

import eigendyn

ROOT = Path(eigendyn.__file__).parent.parent
FOLDERS = ("eigendyn", "derivations", "benchmarks", "tests", "docs")
SOURCE = re.compile(r"^Source: \S", re.MULTILINE)
TOOLS = {  # what has no source: it keeps, reads or shows what others have found
    "EigendynError",
    "Settings",
    "explore",
    "load",
    "save",
    "plot.agreement",
    "plot.bifurcation",
    "plot.components",
    "plot.diagnosis",
    "plot.ensemble",
    "plot.fit",
    "plot.phase_portrait",
    "plot.record",
    "plot.run",
    "plot.runs",
    "plot.training",
    "recording.as_record",
    "recording.hook",
    "recording.lightning_callback",
    "recording.observe_in_jax",
    "recording.read_record",
}
RIDDLE = re.compile(r"\benters?\b.*\bleaves?\b")  # a formula of words: what comes in, what goes out


def says_nothing(text):
    """Whether a module has no first sentence, or one that hides what the module does."""
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    return not first.endswith((".", ":")) or RIDDLE.search(first) is not None


def undocumented(text):
    """Public functions and dataclasses with an argument that their docstring does not name."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            every += tuple(arg for arg in (node.args.vararg, node.args.kwarg) if arg)
            names = [argument.arg for argument in every]
        elif isinstance(node, ast.ClassDef) and node.decorator_list:
            names = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)]
        else:
            continue
        documented = ast.get_docstring(node) or ""
        for name in names:
            if not re.search(rf"^ +{name}: ", documented, re.MULTILINE):
                yield node.name, name


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_first_line_of_a_module_says_what_it_does(folder):
    files = {path: path.read_text("utf-8") for path in (ROOT / folder).rglob("*.py")}
    assert [str(p) for p, text in files.items() if text.strip() and says_nothing(text)] == []


def test_a_riddle_is_found():
    assert says_nothing('"""A loss enters; its dynamics leave."""')
    assert says_nothing("")
    assert not says_nothing('"""Derive the dynamics of every mode from a loss."""')


def test_public_functions_say_what_they_return():
    found = {name: attrgetter(name)(eigendyn) for name in public_names()}
    told = re.compile(r"^(Returns|Yields):", re.MULTILINE)
    silent = [name for name, one in found.items() if not told.search(inspect.getdoc(one) or "")]
    verbs = [name for name in silent if inspect.isfunction(found[name])]
    assert [one for one in verbs if inspect.signature(found[one]).return_annotation != "None"] == []


def test_public_names_document_every_argument():
    files = (ROOT / "eigendyn").rglob("*.py")
    found = {pair for path in files for pair in undocumented(path.read_text("utf-8"))}
    shown = (attrgetter(name)(eigendyn) for name in public_names())
    public = {one.__name__ for one in shown if callable(one)}
    assert [pair for pair in sorted(found) if pair[0] in public] == []


def test_public_names_but_tools_say_where_they_come_from():
    found = {name: attrgetter(name)(eigendyn) for name in public_names()}
    without = {n for n, one in found.items() if not SOURCE.search(inspect.getdoc(one) or "")}
    assert {name for name in without if callable(found[name])} == TOOLS
