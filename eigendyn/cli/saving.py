"""Check before any work what files a command shall write; print its results, then save them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.flags import say
from eigendyn.errors import OutputExists
from eigendyn.results.files import check_output, fresh_path
from eigendyn.settings.choices import PICTURE_SUFFIXES, RESULT_SUFFIXES


@dataclass(frozen=True)
class Output:
    """Where the results of a command go.

    Args:
        files: Files to write, by what they hold: "result", "picture".
        force: Whether existing ones are replaced.
        as_json: Whether results are printed as one JSON object, not as a table.
        quiet: Whether nothing else is said.
    """

    files: dict[str, Path]
    force: bool
    as_json: bool
    quiet: bool

    @classmethod
    def asked_for(
        cls,
        ctx: click.Context,
        *,
        result: tuple[str, ...] = RESULT_SUFFIXES,
        picture: tuple[str, ...] = PICTURE_SUFFIXES,
        stem: str | None = None,
    ) -> Output:
        """Take the options of output, and refuse files that cannot be written.

        Args:
            ctx: Knows what was given as --output, --plot, --force, --json and --quiet.
            result: Kinds of file that --output writes; none where it is no option.
            picture: Kinds of file that --plot writes.
            stem: Begins the names of fresh files that are written where none are given; None writes
                none.

        Raises:
            OutputExists: A file cannot be written, or exists and is not replaced.
        """
        given, force = ctx.params, ctx.params["force"]
        files: dict[str, Path] = {}
        for kind, option, suffixes in (("result", "output", result), ("picture", "plot", picture)):
            path = given.get(option)
            if path is None and stem is not None and suffixes:
                path = fresh_path(stem, suffixes[0])
            if path is not None:
                files[kind] = check_output(path, suffixes, force)
        return cls(files, force, given["as_json"], given["quiet"])

    @property
    def progress(self) -> bool:
        """Whether bars of progress are shown."""
        return not self.quiet and sys.stderr.isatty()

    @property
    def named(self) -> dict[str, str]:
        """The files, in words."""
        return {kind: str(path) for kind, path in self.files.items()}

    def show(self, summary: Callable[[], Mapping[str, Any]], table: Callable[[], str]) -> None:
        """Print the results on standard output."""
        say(json.dumps(summary(), allow_nan=False) if self.as_json else table())

    def save(self, **write: Callable[[Path, bool], object]) -> None:
        """Save the results, after they were printed, so that a full disk takes none along.

        Args:
            write: By what a file holds, what writes it, given the path and whether to replace it.

        Raises:
            OSError: A file could not be saved: exit code 1, as 2 would say "nothing was run".
        """
        try:
            for kind, path in self.files.items():
                write[kind](path, self.force)
        except OutputExists as refusal:
            raise OSError(str(refusal)) from refusal
        if self.files and not self.quiet:
            click.echo(f"Saved {' and '.join(self.named.values())}.", err=True)
