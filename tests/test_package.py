"""Claims about the package as it is shipped."""

import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path

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
