"""Claims about devices: JAX is asked where it may know more than that there is a processor."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from eigendyn.errors import UnknownName
from eigendyn.settings.device import PLUGINS, find_platform

PROBE = """
import sys
from eigendyn.settings.device import find_platform
print(find_platform(sys.argv[1]), "jax" in sys.modules)
"""


def asked(name, **environment):
    """What a fresh process finds, and whether it has imported JAX."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, name],
        capture_output=True,
        text=True,
        check=True,
        env=kept | environment,
    )
    return done.stdout.split()


def test_the_processor_is_found_without_jax():
    assert asked("cpu") == ["cpu", "False"]


@pytest.mark.skipif(any(map(find_spec, PLUGINS)), reason="JAX has a plugin here")
def test_without_plugins_nothing_else_can_be_found():
    assert asked("auto") == ["cpu", "False"]
    assert asked("auto", JAX_PLATFORMS="cpu") == ["cpu", "True"]  # JAX says the same


def test_jax_is_asked_where_it_has_a_plugin(tmp_path):
    (tmp_path / "jax_plugins").mkdir()
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert asked("auto", PYTHONPATH=path)[1] == "True"


def test_an_unknown_device_is_refused():
    with pytest.raises(UnknownName, match="gpu0"):
        find_platform("gpu0")
