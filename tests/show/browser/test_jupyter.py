"""Claims about the explorer in JupyterLab, used in a real browser as a person would.

Like the page's tests, these need a Chromium of the system: without one they are skipped, or fail
where the environment variable EIGENDYN_REQUIRE_BROWSER is set.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.error import URLError

import pytest
from chromium import missing

TOKEN = "explorer"
CELL = """import eigendyn
explorer = eigendyn.explore("euclidean", weight_decay=0.05, steps=300)
explorer"""
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
FOLDERS_OF_LAB = ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab that has one notebook, and the folder that it is in."""
    try:
        import jupyterlab  # noqa: F401
        import nbformat
    except ImportError:
        missing("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, folder / "explorer.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(tmp_path_factory.mktemp("own")) for name in (*FOLDERS, *FOLDERS_OF_LAB)}
    options = [f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--allow-root"]
    options += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env={**os.environ, **own},
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, folder / "server.log")
        yield address
    finally:
        server.kill()  # asked to end, it waits for kernels that start; they end without it
        server.wait()


def _wait(address, log):
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-500:]}")


@pytest.mark.full  # starts a JupyterLab; test_notebook.py moves the same widgets
def test_sliders_and_clicks_move_the_dynamics(lab, browser, tmp_path):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{lab}/lab/tree/explorer.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
    page.click(".jp-Notebook .jp-Cell .jp-InputArea-editor")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".jupyter-matplotlib-canvas-container canvas", timeout=90_000)

    picture = page.locator(".jp-RenderedImage img")
    picture.wait_for(state="attached", timeout=90_000)
    as_opened = picture.get_attribute("src")
    assert not picture.is_visible()  # beside its widgets

    slider = page.locator(".widget-hslider", has_text="weight decay")
    assert slider.locator(".widget-readout").inner_text() == "0.050"
    slider.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.widget-readout')]"
        ".some(one => one.innerText === '0.055')"
    )

    canvas = page.locator(".jupyter-matplotlib-canvas-container canvas").last
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_selector("text=Trajectory from", timeout=30_000)

    page.click("button:has-text('copy as command line')")
    page.wait_for_function(
        "() => [...document.querySelectorAll('input')]"
        ".some(one => one.value.includes('--weight-decay 0.055'))"
    )
    page.wait_for_selector("text=0.058412", timeout=60_000)  # in the table: (1 − √(1 − 4 ω))/2
    page.screenshot(path=tmp_path / "lab.png")

    page.wait_for_function(
        "(before) => document.querySelector('.jp-RenderedImage img').src !== before", arg=as_opened
    )
    assert picture.count() == 1
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    page.close()
    _end_kernels(lab)
    again = browser.new_page(viewport={"width": 1300, "height": 1000})
    again.goto(f"{lab}/lab/tree/explorer.ipynb?token={TOKEN}&reset")
    again.wait_for_selector(".jp-RenderedImage img", state="visible", timeout=60_000)
    assert again.locator(".jp-RenderedImage img").get_attribute("src") != as_opened
    again.screenshot(path=tmp_path / "reopened.png")
    again.close()


def _end_kernels(address):
    def ask(path, method):
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"{address}/api/{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    for session in json.loads(ask("sessions", "GET")):
        ask(f"sessions/{session['id']}", "DELETE")
