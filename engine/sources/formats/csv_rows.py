"""How tables of text are written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvOptions:
    """What the content of a file cannot tell."""

    delimiter: str = ""
    encoding: str = ""
    header: bool = True


USUAL_CSV = CsvOptions()
