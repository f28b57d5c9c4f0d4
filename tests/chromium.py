"""Start a real, headless browser for tests, or say why there is none."""

import os

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


def missing(what):
    """Skip where a browser test cannot run; fail where EIGENDYN_REQUIRE_BROWSER is set."""
    message = f"{what} is needed to open a page: pip install eigendyn[test], and chromium."
    if os.environ.get("EIGENDYN_REQUIRE_BROWSER"):
        pytest.fail(message)
    pytest.skip(message)
