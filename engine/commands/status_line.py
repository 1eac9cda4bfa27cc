"""The bar on a terminal that says how far a run is."""

import os
import sys
import threading
import time
from collections.abc import Iterator

import click

from sfmap.engine.commands.terminal import say_message, styled, terminal_width
from sfmap.engine.delivery.progress import JobProgress, Progress
from sfmap.engine.messages.counts import counted

_CLEAR = "\r\033[K"
_BAR = 10


class StatusLine:
    """Shows what is decided, so it stands still while the org does. Messages go above it. Thread-safe."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._start: Progress | None = None
        """What earlier runs over the source did."""
        self._text = ""
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def show(self, progress: Progress) -> None:
        """Shows what is committed."""
        if self._start is None:
            self._start, self._began = progress, time.monotonic()
        if self._is_shown:
            with self._lock:
                self._write(_line(progress, self._start, time.monotonic() - self._began))

    def say(self, text: str) -> None:
        """Prints a message above the line."""
        with self._lock:
            shown = self._text
            self._write("")
            say_message(text)
            self._write(shown)

    def clear(self) -> None:
        with self._lock:
            self._write("")

    def _write(self, text: str) -> None:
        if text or self._text:
            sys.stderr.write(f"{_CLEAR}{click.unstyle(text) if os.environ.get('NO_COLOR') else text}")
            sys.stderr.flush()
        self._text = text


def interrupted_line(text: str) -> bytes:
    """The message of a signal's handler, which may come while another line is being written."""
    return f"{_CLEAR if sys.stderr.isatty() else ''}{text}\n".encode()


def _line(progress: Progress, start: Progress, seconds: float) -> str:
    """As much as fits in one row of the terminal, the most important first."""
    room = (terminal_width() or 0) - 1
    line, used = "", 0
    for text, has_failed in _parts(progress, start, seconds):
        separator = ", " if line else ""
        used += len(separator) + len(text)
        if used > room:
            break
        line += separator + (styled(text, "error") if has_failed else text)
    return line


def _parts(progress: Progress, start: Progress, seconds: float) -> list[tuple[str, bool]]:
    """What is shown, each with whether it says that something failed."""
    events = counted(progress.events, "event")
    parts = [(events if progress.share is None else f"{_bar(progress.share)} {events}", False)]
    if progress.failed:
        parts.append((f"{progress.failed:,} failed", True))
    if progress.share is not None and start.share is not None and progress.share > start.share:
        left = seconds * (1 - progress.share) / (progress.share - start.share)
        parts.append((f"{_duration(left)} left", False))
    parts += ((text, False) for text in _jobs(progress.bulk))
    done = progress.events - start.events
    if done > 0 and seconds > 0:
        parts.append((f"{done / seconds:,.0f} a second", False))
    if progress.files > 1:
        parts.append((f"file {min(progress.position.file + 1, progress.files):,} of {progress.files:,}", False))
    return parts


def _jobs(bulk: JobProgress) -> Iterator[str]:
    """How far the bulk jobs are."""
    if bulk.jobs:
        yield f"{counted(bulk.jobs, 'bulk job')}: {bulk.processed:,} of {counted(bulk.rows, 'row')}"
    if bulk.seconds_left:
        yield f"{_duration(bulk.seconds_left)} left"


def _bar(share: float) -> str:
    done = round(_BAR * share)
    return f"[{'#' * done}{'.' * (_BAR - done)}] {share:4.0%}"


def _duration(seconds: float) -> str:
    """The time in words, of which the last second does not matter."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
