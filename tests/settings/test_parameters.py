"""Claims about the table of parameters: what is said of a number elsewhere follows from its row."""

from dataclasses import fields

import click
import pytest

import eigendyn
from eigendyn.cli.flags import as_options
from eigendyn.cli.simulate import command
from eigendyn.errors import InvalidSetting
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.theory import symbols as sym
from eigendyn.theory.formula import NAMES


def test_settings_networks_options_and_symbols_follow_from_the_rows():
    options = {one.name: one for one in command.params if isinstance(one, click.Option)}
    for name, row in PARAMETERS.items():
        for noun in (eigendyn.Settings, eigendyn.network.Network):
            (field,) = (field for field in fields(noun) if field.name == name)
            assert field.default == row.default
        assert options[name].help == row.help
        assert options[name].default == row.default
        assert NAMES[sym.parameters[name]] == (row.text, row.latex)


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_stands_for_none_is_said_and_taken(name):
    row = PARAMETERS[name]
    for choice, value in row.assumed.items():
        part = row.part[0]
        assert getattr(eigendyn.Settings(**{part: choice}), name) == value


def test_messages_name_parameters_in_python_and_options_on_the_command_line():
    with pytest.raises(InvalidSetting) as refused:
        eigendyn.Settings(predictor="none", alpha=0.5)
    assert "`alpha=0.5` has no meaning with `predictor='none'`" in str(refused.value)
    assert "--alpha 0.5 has no meaning with --no-predictor" in as_options(str(refused.value))
    written = {
        "`weight_decay`": "--weight-decay",
        "`ema_schedule='cosine'`": "--ema-schedule cosine",
        "`stop_gradient=False`": "--no-stop-gradient",
        "`normalize=True`": "--normalize",
        "`held={'variance3': 0.5}`": "--slice variance3=0.5",
        "`parameters={'gamma': 0.5}`": "--param gamma=0.5",
        "`variances=[0.5, 1]`": "--variances 0.5,1",
        "`starts=[(0.3, 1)]`": "--start 0.3,1",
        "`window=(2, 2)`": "--window 2,2",
        "`loss='cosine', beta=0.5`": "--loss cosine --beta 0.5",
    }
    for python, option in written.items():
        assert as_options(f"Try {python}.") == f"Try {option}."
