"""A mistake of sfmap's own, told so that it can be reported, and without a word of the data."""

import traceback
from pathlib import Path


def mistake_of_ours(error: BaseException) -> str:
    """Its kind and where it is; its message could quote what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}{f' at {Path(frames[-1].filename).name}:{frames[-1].lineno}' if frames else ''}"
