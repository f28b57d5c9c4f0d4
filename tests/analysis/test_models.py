"""Claims about models: planes and branches of fixed points are those of their equations."""

import numpy as np
import pytest

import eigendyn
from eigendyn.analysis.plane.portrait import rests
from eigendyn.theory import symbols as sym
from eigendyn.theory.models import named_model

s, b = sym.singular_value, sym.loss_parameter("b")
PITCHFORK = eigendyn.theory.ModeDynamics("pitchfork", (s,), (s * (b - s**2),), (("b", 0.5),))


def test_a_plane_of_a_model_has_its_fixed_points():
    plane = eigendyn.phase_plane(PITCHFORK)
    assert (plane.title, plane.system.kind) == ("pitchfork", "model")
    found = rests(plane, {})
    kinds = {
        tuple(at.round(9)): p.stability for at, p in zip(found.shown, found.points, strict=True)
    }
    assert kinds == {
        (0, 0): "unstable",
        (0, 0.5): "saddle",
        (0.5, 0): "saddle",
        (0.5, 0.5): "stable",
    }
    across, up = plane.grid(5)
    rates = plane.rates(across, up, plane.system.parameters)
    np.testing.assert_allclose(rates, [2 * v * (0.5 - v) for v in (across, up)], atol=1e-12)


def test_a_branch_of_a_model_begins_where_its_mode_comes_to_life():
    """At rest b − v = 0: the live branch v = b leaves the dead one at b = 0."""
    system = eigendyn.dynamical_system(PITCHFORK, 1)
    diagram = eigendyn.continue_fixed_points(system, "b", (-0.5, 1.0))
    assert diagram.title == "pitchfork"
    assert system.title({"b": 0.7}) == "pitchfork, b = 0.7"
    (birth,) = diagram.special_points
    assert birth.kind == "transcritical"
    np.testing.assert_allclose([birth.parameter, birth.x[0]], 0, atol=1e-10)
    (alive,) = (one for one in diagram.branches if one.x.max() > 0)
    np.testing.assert_allclose(alive.x[:, 0] ** 2, alive.parameter, atol=1e-9)
    np.testing.assert_allclose(alive.eigenvalues[:, 0].real, -2 * alive.parameter, atol=1e-8)


@pytest.mark.full  # its end is that of the closed form: simulation/test_models.py
def test_barlow_twins_rests_at_the_inverse_of_gamma():
    system = eigendyn.dynamical_system(named_model("barlow-twins", gamma=0.7), 1)
    diagram = eigendyn.continue_fixed_points(system, "gamma", (0.6, 3.0))
    (alive,) = (one for one in diagram.branches if one.x.max() > 0)
    np.testing.assert_allclose(alive.x[:, 0] ** 2 * alive.parameter, 1, rtol=1e-9)
    np.testing.assert_allclose(alive.eigenvalues[:, 0].real, -8 * alive.parameter, rtol=1e-7)
