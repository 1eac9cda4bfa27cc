"""The line on a terminal that says how far a run is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sfmap.engine.commands.terminal import say
from sfmap.engine.delivery.progress import Progress
from sfmap.engine.sources.event_source import Position, ResumableSource

_CLEAR = "\r\033[K"


class StatusLine:
    """Shows what is decided, so it stands still while the org does. Messages go above it."""

    def __init__(self, source: ResumableSource, start: Progress, is_shown: bool) -> None:
        """`start` is what earlier runs over the source did."""
        self._source = source
        self._start = start
        self._is_shown = is_shown
        self._text = ""
        self._began = time.monotonic()

    def show(self, progress: Progress) -> None:
        """Shows what is committed."""
        if self._is_shown:
            self._write(self._line(progress, time.monotonic() - self._began))

    def say(self, text: str) -> None:
        """Prints a message above the line."""
        shown = self._text
        self.clear()
        say(text)
        if shown:
            self._write(shown)

    def clear(self) -> None:
        if self._text:
            self._write("")

    def _write(self, text: str) -> None:
        self._text = text
        click.echo(f"{_CLEAR}{text}", err=True, nl=False)

    def _line(self, progress: Progress, seconds: float) -> str:
        parts = [f"{progress.events:,} events"]
        if progress.failed:
            parts.append(f"{progress.failed:,} failed")
        done = progress.events - self._start.events
        if done > 0 and seconds > 0:
            parts.append(f"{done / seconds:,.0f} a second")
        parts += self._of_source(progress.position, seconds)
        return ", ".join(parts)

    def _of_source(self, position: Position, seconds: float) -> list[str]:
        """Files done, and the time left, where these are known."""
        count = len(self._source.files)
        parts = [f"file {min(position.file + 1, count):,} of {count:,}"] if count > 1 else []
        share, began = self._source.share(position), self._source.share(self._start.position)
        if share is not None and began is not None and share > began:
            parts.append(f"{_duration(seconds * (1 - share) / (share - began))} left")
        return parts


def _duration(seconds: float) -> str:
    """The time in words, of which the last second does not matter."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


@contextmanager
def status_line(source: ResumableSource, start: Progress) -> Iterator[StatusLine]:
    """A line that is there until the run ends, if stderr is a terminal."""
    status = StatusLine(source, start, sys.stderr.isatty())
    try:
        yield status
    finally:
        status.clear()
