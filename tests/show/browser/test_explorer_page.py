"""Claims about the explorer's page, opened in a real browser as a person would.

It needs a Chromium of the system. Without one these tests are skipped, or, where the environment
variable EIGENDYN_REQUIRE_BROWSER is set, fail.
"""

import re
import shlex

import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from eigendyn.cli.main import cli
from eigendyn.show.page.page import explorer_page

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
}
LOSSES = {
    "cosine": {"loss": "cosine"},
    "euclidean": {"loss": "euclidean", "weight_decay": 0.1},
    "learned": {"loss": "euclidean", "predictor": "learned", "weight_decay": 0.1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, settings in LOSSES.items():
        (folder / f"{name}.html").write_text(explorer_page(**settings), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, folder):
    """Open a page; when the test ends, no error was told and nothing was asked of any network."""
    troubles, requests, contexts = [], [], []

    def open_page(name="cosine", look="light"):
        context = browser.new_context(**LOOKS[look])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((folder / f"{name}.html").as_uri())
        page.wait_for_function("() => state.shown !== null")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert {url.split("#")[0] for url in requests if url.startswith("file:")} <= {
        (folder / f"{name}.html").as_uri() for name in LOSSES
    }


def told(page, which):
    return page.locator(f"#{which}").inner_text()


def settled(page):
    """Wait until what a slider's move changed has been computed anew in full."""
    page.wait_for_timeout(200)
    page.wait_for_function("() => performance.getEntriesByName('fine update').length > 1")


def click_plane(page, right, up, **how):
    box = page.locator("#plane").bounding_box()
    place = {"x": box["width"] * right, "y": box["height"] * (1 - up)}
    page.locator("#plane").click(position=place, **how)


def last_path(page):
    return page.evaluate(
        "(({ q, times, points, ended }) => ({ q, times, points, ended }))(state.shown.paths.at(-1))"
    )


@pytest.mark.parametrize(
    ("name", "look"),
    [
        pytest.param(*pair, id="-".join(pair), marks=pytest.mark.full if number else ())
        for number, pair in enumerate(zip(LOSSES, LOOKS, strict=True))  # each loss, each look
    ],
)
def test_a_slider_moved_by_keyboard_and_a_click_change_the_numbers(visit, tmp_path, name, look):
    page = visit(name, look)
    before = told(page, "outcome"), told(page, "command"), told(page, "readout")
    page.get_by_label(re.compile("^weight decay ω")).focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    settled(page)
    after = told(page, "outcome"), told(page, "command"), told(page, "readout")
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert f"--weight-decay {'0.05' if name == 'cosine' else '0.15'}" in after[1]
    click_plane(page, 0.8, 0.5)
    assert told(page, "outcome") != after[0]
    q, top = last_path(page)["q"], page.evaluate("plane().map((axis) => axis.top)")
    assert np.divide(q, top) == pytest.approx([0.77, 0.44], abs=0.1)
    assert page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look]["viewport"]["width"]
    page.screenshot(path=tmp_path / f"{name}-{look}.png", full_page=True)


def test_the_plane_is_painted(visit):
    page = visit()
    colours = page.evaluate(
        """() => {
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join());
          return seen.size;
        }"""
    )
    assert colours > 50


def test_everything_can_be_done_by_keyboard(visit):
    page = visit("euclidean")
    page.locator("#plane").focus()
    for key in ["ArrowRight"] * 4 + ["ArrowUp"] * 2 + ["Shift+ArrowUp"]:
        page.keyboard.press(key)
    assert "v₁ = 1.2, v₂ = 1.105" in told(page, "readout")
    page.keyboard.press("Enter")
    assert told(page, "outcome").startswith(
        "From (1.2, 1.105) it comes to rest at (0.8873, 0.8873)"
    )
    page.keyboard.press("Shift+Enter")
    assert last_path(page)["times"][-1] < 0
    page.keyboard.press("Delete")
    assert last_path(page)["times"][-1] > 0
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"theme", "slider-0", "reset", "clear", "backward", "command", "copy"} <= reached


def test_focus_is_seen(visit):
    page = visit()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate("document.activeElement.id") == "plane"
    assert page.evaluate(outline) == "solid"


@pytest.mark.full
def test_a_trajectory_is_what_its_command_line_computes(visit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in LOSSES:
        page = visit(name)
        page.locator("#slider-0").focus()
        page.keyboard.press("ArrowRight")
        settled(page)
        click_plane(page, 0.6, 0.7)
        path = last_path(page)
        simulate = told(page, "command").splitlines()[1].replace("eigendyn ", "")
        files = ["-o", f"{name}.nc", "--plot", f"{name}.png"]
        outcome = CliRunner().invoke(cli, [*shlex.split(simulate), *files], catch_exceptions=False)
        assert outcome.exit_code == 0, outcome.output
        data = xarray.load_dataset(f"{name}.nc")
        ends = data.isel(time=-1)
        if name == "learned":
            expected = [ends["predictor_eigenvalue"][0], np.sqrt(ends["variance"][0])]
        else:
            expected = ends["variance"]
        np.testing.assert_allclose(path["points"][-1], expected, atol=1e-6)


def test_reset_brings_everything_back(visit):
    page = visit()
    before = told(page, "outcome"), told(page, "points"), told(page, "command")
    page.locator("#slider-1").focus()
    page.keyboard.press("End")
    settled(page)
    click_plane(page, 0.8, 0.3)
    page.get_by_role("button", name="Clear trajectories").click()
    assert told(page, "outcome") == "No trajectory yet."
    page.get_by_role("button", name="Reset").click()
    assert (told(page, "outcome"), told(page, "points"), told(page, "command")) == before


def test_back_in_time_can_be_had_without_keys(visit):
    page = visit()
    page.get_by_label("back in time").check()
    click_plane(page, 0.5, 0.7)
    assert last_path(page)["times"][-1] < 0
    click_plane(page, 0.5, 0.7, modifiers=["Shift"])
    assert last_path(page)["times"][-1] > 0


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_page_follows_the_system_and_can_be_switched(visit, look):
    page = visit(look=look)
    paper = "getComputedStyle(document.body).backgroundColor"
    first = page.evaluate(paper)
    assert (sum(map(int, re.findall(r"\d+", first))) < 200) == (look == "dark")
    page.locator("#theme").click()
    assert page.evaluate(paper) != first


def test_the_command_line_can_be_copied(visit):
    page = visit()
    page.get_by_role("button", name="Copy as command line").click()
    page.wait_for_function("() => document.getElementById('copied').textContent !== ''")
    assert told(page, "copied").startswith(("Copied", "Selected"))


@pytest.mark.full
def test_a_slider_moves_the_whole_plane_in_a_tenth_of_a_second(visit):
    page = visit("cosine")
    page.locator("#slider-1").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(40)
    moves = page.evaluate("performance.getEntriesByName('quick update').map((e) => e.duration)")
    assert min(moves) < 100  # the least disturbed by whatever else the machine does


def test_a_link_brings_the_view_back(visit):
    page = visit("euclidean")
    assert "#" not in page.url
    page.get_by_label(re.compile("^weight decay ω")).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_label(re.compile("^reach of the axes")).focus()
    page.keyboard.press("ArrowRight")
    click_plane(page, 0.6, 0.7)
    page.wait_for_function("() => location.hash.split('from=').length === 3")
    assert "weight-decay=0.115&reach=1.25&from=" in page.url
    told_before = [told(page, which) for which in ("outcome", "points", "command")]
    shown = page.evaluate("state.shown.paths.map(({ points }) => points.at(-1))")
    page.reload()  # the same link, opened again
    page.wait_for_function("() => state.shown !== null")
    assert [told(page, which) for which in ("outcome", "points", "command")] == told_before
    assert page.evaluate("state.shown.paths.map(({ points }) => points.at(-1))") == shown
    page.evaluate("location.hash = 'weight-decay=0.2&from='")  # another one, in the same page
    page.wait_for_function("() => state.trajectories.length === 0")
    assert "--weight-decay 0.2 " in told(page, "command")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => !location.href.includes('#')")
