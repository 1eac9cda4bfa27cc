"""CSV as bulk jobs read and write it: six delimiters, two line endings, quotes doubled in quotes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

DELIMITERS = {"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_LONGEST_HEADER = 32_000
_MOST_COLUMNS = 5_000
_LONGEST_VALUE = 131_072
_LONGEST_ROW = 400_000


class InvalidBatch(Exception):
    """Data that no row of can be processed; the message becomes that of the job."""


@dataclass(frozen=True, slots=True)
class CsvDialect:
    delimiter: str
    """A key of `DELIMITERS`."""
    line_ending: str
    """A key of `LINE_ENDINGS`."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    mistakes: Mapping[int, str]
    """What is wrong with the rows that cannot be processed, by their index."""

    def part(self, start: int, most: int) -> "CsvTable":
        """The table with up to `most` of its rows, from that index on."""
        rows = self.rows[start : start + most]
        numbers = range(start, start + len(rows))
        mistakes = {number - start: self.mistakes[number] for number in numbers if number in self.mistakes}
        return CsvTable(self.header, rows, mistakes)


def decoded(content: bytes) -> str:
    """The data of a batch as text. Raises `InvalidBatch`."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidBatch("InvalidBatch : The data is not valid UTF-8") from None


def read_table(content: bytes, dialect: CsvDialect) -> CsvTable:
    """The rows of an upload. Raises `InvalidBatch`."""
    reader = _Reader(decoded(content), dialect)
    rows = reader.rows()
    if not rows:
        return CsvTable([], [], {})
    header = rows.pop(0)
    if 0 in reader.mistakes or len(header) > _MOST_COLUMNS or sum(map(len, header)) > _LONGEST_HEADER:
        raise InvalidBatch("InvalidBatch : The header cannot be read")
    mistakes = {number - 1: mistake for number, mistake in reader.mistakes.items()}
    for number, row in enumerate(rows):
        if number not in mistakes and (mistake := _mistake(row, len(header))):
            mistakes[number] = mistake
    return CsvTable(header, rows, mistakes)


def _mistake(row: Sequence[str], columns: int) -> str:
    if len(row) != columns:
        return f"the row has {len(row)} values, the header {columns}"
    lengths = [len(value) for value in row]
    if sum(lengths) > _LONGEST_ROW or max(lengths) > _LONGEST_VALUE:
        return "the row or a value of it is too long"
    return ""


class _Reader:
    def __init__(self, text: str, dialect: CsvDialect) -> None:
        self._text = text
        self._end = LINE_ENDINGS[dialect.line_ending]
        self._name = dialect.line_ending
        delimiter = re.escape(DELIMITERS[dialect.delimiter])
        # A quote belongs at both ends of a value or in neither; a space beside one is a mistake.
        self._cell = re.compile(
            rf'(?:"([^"]*(?:""[^"]*)*)"|([^"{delimiter}{self._end}]*))({delimiter}|{self._end}|\Z)'
        )
        self.mistakes: dict[int, str] = {}

    def rows(self) -> list[list[str]]:
        self._check_line_ending()
        rows: list[list[str]] = []
        position = 0
        while position < len(self._text):
            row, end = self._row(position)
            if row is None:
                self.mistakes[len(rows)] = "the row cannot be read: its quotes are wrong"
                end = self._next_line(position)
                row = [self._text[position:end].removesuffix(self._end)]
            if end > position + len(self._end) or row != [""]:
                rows.append(row)
            position = end
        return rows

    def _row(self, position: int) -> tuple[list[str] | None, int]:
        """The row that starts there, None if it cannot be read; and the start of the next."""
        row: list[str] = []
        while found := self._cell.match(self._text, position):
            quoted, plain, separator = found.groups()
            row.append(plain if quoted is None else quoted.replace('""', '"'))
            position = found.end()
            if separator in ("", self._end):
                return row, position
        return None, position

    def _next_line(self, position: int) -> int:
        end = self._text.find(self._end, position)
        return len(self._text) if end < 0 else end + len(self._end)

    def _check_line_ending(self) -> None:
        end = self._text.find("\n")
        if end >= 0 and (self._text[end - 1 : end] == "\r") != (self._name == "CRLF"):
            raise InvalidBatch(
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is"
                f" {self._name}"
            )


def csv_text(header: Iterable[str], rows: Iterable[Iterable[str]], dialect: CsvDialect) -> str:
    """The header as it is, and rows with all values in quotes."""
    delimiter, end = DELIMITERS[dialect.delimiter], LINE_ENDINGS[dialect.line_ending]
    lines = (delimiter.join(map(quoted, row)) for row in rows)
    return "".join(f"{line}{end}" for line in (delimiter.join(header), *lines))


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
