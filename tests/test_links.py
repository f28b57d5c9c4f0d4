"""Claims about pages: every link leads somewhere, and each begins with what its reader can do."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
WRITTEN = tuple(  # pages that docs/conf.py writes, whose links sphinx-build checks
    line[1:]
    for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    if line.startswith("/docs/")
)
FOLDERS = (".", "docs", "docs/how-to", "notebooks", "benchmarks", "figures")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", flags=re.DOTALL | re.MULTILINE)
TARGET = re.compile(r"\]\((?!https?:)([^)\s]+)\)|<(?:img|iframe)[^>]* src=\"(?!https?:)([^\"]+)\"")
READER = re.compile(r"\byour?\b|^(Find|Learn|Look up)\b")


def pages():
    """Every page that is written by hand, or by a benchmark."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).glob("*.md")]
    return [path for path in found if not is_written(path)]


def is_written(path):
    return path.relative_to(ROOT).as_posix().startswith(WRITTEN)


@cache
def text(path):
    return path.read_text(encoding="utf-8")


@cache
def anchors(path):
    """What a code host and the site call the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub(_kept_words, text(path)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _kept_words(code):
    return "" if code[1] else code.group().strip("`")


def broken(path, body):
    """Links in the text of a page to no file, or to no heading of one."""
    for groups in TARGET.findall(CODE.sub("", body)):
        link = "".join(groups)
        target, _, anchor = link.partition("#")
        there = (path.parent / target).resolve() if target else path
        if not there.is_relative_to(ROOT):
            yield link
        elif is_written(there) or target.startswith("../_static/"):
            continue
        elif not there.exists() or (anchor and anchor not in anchors(there)):
            yield link


def test_every_link_leads_to_a_file_and_a_heading():
    assert len(pages()) > 50
    assert {path.name: found for path in pages() if (found := list(broken(path, text(path))))} == {}


def test_a_link_to_nothing_is_found():
    for target in ("docs/no_such_page.md", "#no-heading", "docs/start.md#no-heading"):
        assert [*broken(ROOT / "README.md", f"[words]({target})")] == [target]
    whole = "[all](docs/start.md) [that](#start) [is](docs/start.md#a-first-run) `[there](x)`"
    assert [*broken(ROOT / "README.md", whole)] == []


def first_sentence(path):
    """What stands behind the title of a page, up to its first full stop."""
    body = re.split(r"^# .+$", text(path), maxsplit=1, flags=re.MULTILINE)[1]
    return re.split(r"(?<=[.:;?])\s", body.strip(), maxsplit=1)[0]


def test_each_page_of_the_site_says_first_what_its_reader_can_do():
    site = [path for path in pages() if path.parent.name in ("docs", "how-to", "notebooks")]
    site += [ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
    first = {path.name: first_sentence(path) for path in site}
    assert {name: said for name, said in first.items() if not READER.search(said)} == {}
