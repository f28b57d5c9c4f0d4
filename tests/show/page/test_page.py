"""Claims about the page as a file: it is self-contained, and says what it shows."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from eigendyn.errors import EigendynError, InvalidSetting
from eigendyn.show.page.controls import controls
from eigendyn.show.page.page import embedded, explorer_page
from eigendyn.show.plot.phase import FILLS
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import own_loss
from eigendyn.theory.symbols import loss_parameter, mode_sum, stop_gradient, z1, z2


def data_of(page):
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags_of(page):
    parser = _Tags()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def cosine():
    return explorer_page("cosine")


def test_nothing_is_loaded_from_anywhere(cosine):
    assert "http://" not in cosine
    assert "https://" not in cosine
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp|WebSocket|import\(", cosine)
    for _, attributes in tags_of(cosine):
        assert "src" not in attributes
        assert attributes.get("href", "data:,") == "data:,"


def test_the_browser_is_told_to_load_nothing(cosine):
    (policy,) = (a["content"] for _, a in tags_of(cosine) if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline'")
    assert "connect-src" not in policy


def test_the_legend_names_every_stability_of_the_pictures(cosine):
    legend = re.search(r"function buildLegend.*?\n}", cosine, re.DOTALL)[0]
    assert set(FILLS) <= set(re.findall(r'"([a-z-]+)"\],', legend))


def test_a_page_is_small(cosine):
    assert len(cosine.encode()) < 200_000
    assert len(explorer_page("cosine", closure="sampled", samples=4096).encode()) < 1_500_000


def test_the_loss_and_its_closure_are_named(cosine):
    assert "<h1>The cosine loss</h1>" in cosine
    assert "ℓ = −Σ_k[λ_k·z1_k·SG(z2_k)]" in cosine
    assert "exact, by quadrature" in cosine
    page = explorer_page("cosine", predictor="none", closure="mean-field")
    assert "<h1>The cosine loss, no predictor</h1>" in page
    assert "off by tens of percent" in page
    assert "averages over 500 samples" in explorer_page("cosine", closure="sampled", samples=500)


@pytest.mark.parametrize(
    ("settings", "symbols"),
    [
        ({}, ["v₁", "v₂"]),
        ({"predictor": "learned"}, ["p", "s"]),
        ({"target": "ema"}, ["v", "ξ²"]),
        ({"predictor": "running"}, ["v", "c"]),
    ],
)
def test_the_settings_choose_the_plane(settings, symbols):
    plane = data_of(explorer_page("euclidean", **settings))["plane"]
    assert [axis["symbol"] for axis in plane] == symbols
    assert sorted(axis["coordinate"] for axis in plane) == [0, 1]


def test_an_axis_says_that_it_shows_eigenvalues_only_where_it_does():
    for settings, shows in [({}, True), ({"alpha": 0.5}, False), ({"predictor": "copy"}, False)]:
        label = data_of(explorer_page("euclidean", **settings))["plane"][0]["label"]
        assert ("λ₁" in label) == shows


def test_every_parameter_of_the_field_has_a_slider_that_holds_its_value():
    loss = parse_loss("sum((lam*z1 - g*sg(z2))**2)", {"g": -1.7})
    sliders = data_of(explorer_page(loss, sigma1=3.0))["controls"]
    assert [s["symbol"] for s in sliders] == ["g", "σ₁", "ω"]
    assert [s["value"] for s in sliders] == [-1.7, 3.0, 0.0]
    assert all(s["low"] <= s["value"] <= s["high"] and s["step"] > 0 for s in sliders)


def test_a_parameter_of_any_size_has_a_range_around_it():
    for value in (0.0, 1e-6, -3e8):
        (slider,) = controls({"g": value}, {"g": value})["g"]
        assert slider.low <= value <= slider.high
        assert 20 <= (slider.high - slider.low) / slider.step <= 500


def test_text_of_users_cannot_end_a_script():
    hostile = "</script><script>alert(1)</script><!-- \" '"
    assert "<" not in embedded({"name": hostile})
    assert json.loads(embedded({"name": hostile})) == {"name": hostile}
    loss = own_loss(hostile, mode_sum((z1 - stop_gradient(z2)) ** 2))
    page = explorer_page(loss)
    assert page.lower().count("</script>") == 2
    assert "alert(1)" not in page


def test_a_parameter_with_an_impossible_name_is_refused():
    name = "</script>"
    loss = own_loss(
        "odd", loss_parameter(name) * mode_sum((z1 - stop_gradient(z2)) ** 2), {name: 1}
    )
    with pytest.raises(EigendynError):
        explorer_page(loss)


def test_signs_of_html_in_an_equation_stay_text():
    page = explorer_page(parse_loss("sum((lam*z1 - sg(z2))**2)/2"))
    assert [tag for tag, _ in tags_of(page)].count("h1") == 1
    assert "A loss of one’s own" in page


def test_the_command_chooses_the_same_system():
    options = data_of(explorer_page("cosine", alpha=0.5, stop_gradient=False))["command"]
    assert options == "--loss cosine --no-stop-gradient --alpha 0.5"
    loss = parse_loss("sum((lam*z1 - g*sg(z2))**2)", {"g": 0.3})
    options = data_of(explorer_page(loss))["command"]
    assert options == "--loss-expr 'sum((lam*z1 - g*sg(z2))**2)'"


def test_numbers_of_nodes_are_those_of_the_system(cosine):
    nodes = data_of(cosine)["nodes"]
    assert sorted(nodes["values"]) == ["tau1", "tau2"]
    decoded = np.frombuffer(base64.b64decode(nodes["weights"]))
    assert (decoded > 0).all()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"predictor": "learned", "target": "ema"}, "two states"),
        ({"momentum": 0.9}, "two states"),
        ({"predictor": "learned"}, "does not see its scale"),
        ({"closure": "sampled", "samples": 4097}, "at most 4096 samples"),
    ],
)
def test_what_no_plane_can_show_is_refused_in_a_sentence(settings, word):
    with pytest.raises(InvalidSetting, match=word) as refusal:
        explorer_page("cosine", **settings)
    assert "Try" in str(refusal.value) or "Leave out" in str(refusal.value)
