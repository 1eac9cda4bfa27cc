"""The mappings of git's HEAD, with which those being edited are compared."""

import time
from pathlib import Path
from threading import Lock

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.revision import Head, NoRevision, file_at, head, mapper_at
from sfmap.engine.workbench.line_ends import Unreadable, edited_text

_LOOK_EVERY = 1.0
"""Seconds for which git is not asked again."""


class HeadMappings:
    """What HEAD has. Nothing is compared where there is no repository, or no commit."""

    def __init__(self, folder: Path, org_name: str | None) -> None:
        self._folder = folder
        self._org_name = org_name
        self._lock = Lock()
        self._head: Head | None = None
        self._asked_at = -_LOOK_EVERY
        self._of_commit = ""
        self._mapper: Mapper | None = None
        self.message = ""
        """Why there is no comparison; empty if there is one."""

    def head(self) -> Head | None:
        with self._lock:
            return self._current()

    def mapper(self) -> Mapper | None:
        """The mappings at HEAD; None if there are none, or with mistakes."""
        with self._lock:
            current = self._current()
            if current is None:
                return None
            if current.commit != self._of_commit:
                self._mapper, self.message = None, ""
                try:
                    self._mapper = mapper_at(self._folder, current.commit, self._org_name)
                except NoRevision as why:
                    self.message = str(why)
                self._of_commit = current.commit
            return self._mapper

    def text(self, name: str) -> str | None:
        """The text of a file at HEAD; None if it was not there, or is not a text."""
        current = self.head()
        data = file_at(self._folder, current.commit, name) if current else None
        try:
            return None if data is None else edited_text(data)
        except Unreadable:
            return None

    def _current(self) -> Head | None:
        if time.monotonic() - self._asked_at >= _LOOK_EVERY:
            try:
                self._head = head(self._folder)
            except NoRevision as why:
                self._head, self.message, self._of_commit = None, why.message.rstrip(";"), ""
            self._asked_at = time.monotonic()
        return self._head
