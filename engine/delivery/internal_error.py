"""Describes internal errors so that they can be reported, without showing data."""

import traceback
from pathlib import Path


def internal_error(error: BaseException) -> str:
    """The type of the error and where it occurred; its message could quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}{f' at {Path(frames[-1].filename).name}:{frames[-1].lineno}' if frames else ''}"
