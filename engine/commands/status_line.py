"""The line on a terminal that says how far a run is."""

import sys
import time

import click

from sfmap.engine.commands.terminal import say
from sfmap.engine.delivery.progress import Progress

_CLEAR = "\r\033[K"


class StatusLine:
    """Shows what is decided, so it stands still while the org does. Messages go above it."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._start: Progress | None = None
        """What earlier runs over the source did."""
        self._text = ""
        self._began = time.monotonic()

    def show(self, progress: Progress) -> None:
        """Shows what is committed, from the second time on."""
        if self._start is None:
            self._start, self._began = progress, time.monotonic()
        elif self._is_shown:
            self._write(self._line(progress, self._start, time.monotonic() - self._began))

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

    def _line(self, progress: Progress, start: Progress, seconds: float) -> str:
        parts = [f"{progress.events:,} events"]
        if progress.failed:
            parts.append(f"{progress.failed:,} failed")
        done = progress.events - start.events
        if done > 0 and seconds > 0:
            parts.append(f"{done / seconds:,.0f} a second")
        if progress.files > 1:
            parts.append(f"file {min(progress.position.file + 1, progress.files):,} of {progress.files:,}")
        if progress.share is not None and start.share is not None and progress.share > start.share:
            parts.append(f"{_duration(seconds * (1 - progress.share) / (progress.share - start.share))} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    """The time in words, of which the last second does not matter."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
