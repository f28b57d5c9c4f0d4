"""Claims about a link to the explorer's page: it brings back what was set, whatever it holds."""

import pytest
from in_node import FOLDER, run

from eigendyn.show.page.command import plain
from eigendyn.show.page.page import explorer_page

VIEW = (FOLDER / "view.js").read_text(encoding="utf-8")
SLIDERS = [
    {"option": "--weight-decay", "symbol": "ω", "value": 0.0, "low": 0.0, "high": 1.0},
    {"option": "--param", "symbol": "reach", "value": 1.0, "low": 0.0, "high": 2.0},
    {"name": "reach", "symbol": "×", "value": 1, "low": 0.25, "high": 5},
]
OPENING = [{"q": [0.3, 1.2], "sign": 1}]


def text_of(values, trajectories):
    script = "const result = viewText(data.sliders, data.values, data.trajectories);"
    told = {"sliders": SLIDERS, "values": values, "trajectories": trajectories}
    return run(f"{VIEW}\n{script}", told)


def view_from(text):
    script = "const result = viewFrom(data.text, data.sliders, [10, 10]);"
    return run(f"{VIEW}\n{script}", {"sliders": SLIDERS, "text": text})


@pytest.mark.parametrize(
    ("values", "trajectories", "text"),
    [
        ([0.0, 1.0, 1], OPENING, "from=0.3,1.2"),
        ([0.1 * 3, 1.0, 2], OPENING, "weight-decay=0.3&reach=2&from=0.3,1.2"),
        ([0.0, 0.1 + 0.2, 1], [], "param-reach=0.3&from="),
        ([0.0, 1.0, 1], [*OPENING, {"q": [1.0, 9.5], "sign": -1}], "from=0.3,1.2&back=1,9.5"),
    ],
)
def test_a_link_says_what_was_set_and_brings_it_back(values, trajectories, text):
    assert text_of(values, trajectories) == text
    found = view_from(text)
    assert found["values"] == pytest.approx(values, rel=1e-12)
    assert found["trajectories"] == trajectories


@pytest.mark.parametrize(
    "text",
    [
        "",
        "weight-decay=&reach=nan&other=3",
        "weight-decay=Infinity",
        "<script>alert(1)</script>",
        "%E0%A4%A&&=&weight-decay",
    ],
)
def test_what_makes_no_sense_is_passed_over(text):
    assert view_from(text) == {"values": [0.0, 1.0, 1], "trajectories": None}


def test_sliders_and_starts_of_a_link_stay_within_the_plane():
    found = view_from("weight-decay=7&reach=-3&from=-1,2&from=1,11&from=1&from=a,b&back=1,2")
    assert found["values"] == [1.0, 1.0, 0.25]
    assert found["trajectories"] == [{"q": [1, 2], "sign": -1}]
    assert len(view_from("&".join(["from=1,1"] * 999))["trajectories"]) == 50


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (0.7**2, "0.49"), (0.123456789, "0.123456789"), (1e-7, "1e-07"), (7, "7")],
)
def test_a_copied_number_has_no_dirt_of_binary_fractions(value, text):
    assert plain(value) == text
    assert float(run(f"{VIEW}\nconst result = plain(data);", value)) == float(text)


def test_settings_of_a_copied_command_have_none_either():
    assert '--alpha 0.3"' in explorer_page("euclidean", alpha=0.1 + 0.2)
