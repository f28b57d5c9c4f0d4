"""Claims about the package as it is shipped."""

import re
import subprocess
import tomllib
from importlib import import_module
from importlib.resources import files
from operator import attrgetter
from pathlib import Path

import pytest
from public import NAMESPACES, public_names

import eigendyn

ROOT = Path(__file__).parent.parent


def test_type_checkers_are_told_that_the_package_is_typed():
    assert files("eigendyn").joinpath("py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "Typing :: Typed" in project["project"]["classifiers"]


def test_the_wheel_takes_the_marker_along():
    """It holds the whole folder, but for files that git ignores."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["eigendyn"]}
    ignored = ["git", "check-ignore", "--quiet", "eigendyn/py.typed"]
    assert subprocess.run(ignored, cwd=ROOT, check=False).returncode != 0


def test_the_version_that_is_cited_and_told_of_is_that_of_the_package():
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    version, day = re.findall(r"^(?:version|date-released): (.+)$", cited, re.MULTILINE)
    assert version == eigendyn.__version__
    assert re.findall(r"^## \[(.+)\] - (.+)$", changes, re.MULTILINE)[0] == (version, day)


def test_names_stand_in_a_few_namespaces():
    # 27, since a sweep is a verb of its own: it gives what `ensemble` cannot hold, and goes on
    assert len(eigendyn.__all__) - len(NAMESPACES) <= 27
    for name in public_names():
        assert attrgetter(name)(eigendyn) is not None
    for space in NAMESPACES:
        assert set(import_module(f"eigendyn.{space}").__all__) <= set(dir(getattr(eigendyn, space)))


def test_no_module_takes_the_place_of_a_name_once_it_is_imported():
    for space in NAMESPACES:
        module = import_module(f"eigendyn.{space}")
        for folder in getattr(module, "__path__", []):
            modules = {path.stem for path in Path(folder).iterdir()}
            assert not modules & set(module.__all__)


@pytest.mark.parametrize(("old", "new"), eigendyn._MOVED.items())
def test_a_name_that_moved_works_for_a_release_and_says_where_it_is(old, new):
    with pytest.warns(DeprecationWarning, match=f"eigendyn.{old} is eigendyn.{new} now"):
        found = getattr(eigendyn, old)
    assert found is attrgetter(new)(eigendyn)


def test_an_unknown_name_is_none_of_the_package():
    for module in (eigendyn, eigendyn.theory, eigendyn.plot):
        with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
            _ = module.simulat
