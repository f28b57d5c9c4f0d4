"""Lay out an audit for a terminal, and summarise it for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, number

if TYPE_CHECKING:
    from eigendyn.crosschecks.audit import Audit


def summary(audit: Audit) -> dict[str, Any]:
    """Summarise an audit for scripts, ready for JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "loss": audit.loss,
        "update": audit.update,
        "passed": audit.passed,
        "checks": [
            {
                "name": check.name,
                "passed": check.passed,
                "error": number(check.error),
                "finding": check.finding,
            }
            for check in audit.checks
        ],
    }


def table(audit: Audit) -> str:
    """Lay out an audit for a terminal, one property a line, and the verdict."""
    rows = [
        (check.name, "passed" if check.passed else "FAILED", check.finding)
        for check in audit.checks
    ]
    verdict = "descends" if audit.passed else "does not descend"
    last = f"The update {audit.update!r} {verdict} the loss {audit.loss!r}."
    return "\n".join([*aligned(rows, left=3), "", last])
