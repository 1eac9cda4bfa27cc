"""The files with the results of a bulk job as outcomes of rows."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import SEEK_END
from typing import BinaryIO

from sfmap.engine.mapping.values.values import full_record_id
from sfmap.engine.org.bulk_csv import DamagedCsv, read_csv
from sfmap.engine.org.bulk_port import AnsweredRow, Unprocessed
from sfmap.engine.org.port import Refused, Written

_RECORD, _CREATED, _ERROR = "sf__Id", "sf__Created", "sf__Error"
_ADDED = {_RECORD, _CREATED, _ERROR}
_END = "--"
_PIECE = 64 * 1024
_UNKNOWN = "UNKNOWN_EXCEPTION"
_NEXT_ERROR = re.compile(r"(?<=--)(?=[A-Z][A-Z0-9_]+:)")
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
_FIELDS = re.compile(r"[\w.]+(?:, ?[\w.]+)*")
_UNPROCESSED = Unprocessed()


def count_rows(file: BinaryIO) -> int:
    """The number of rows below the header. Raises `DamagedCsv`."""
    return max(0, sum(1 for _ in read_csv(file)) - 1)


def leave_whole_lines(file: BinaryIO) -> None:
    """Cuts off a last line without its end: what it says may be other than it looks."""
    end = size = file.seek(0, SEEK_END)
    while end:
        begin = max(0, end - _PIECE)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            size = begin + found + 1
            break
        end = size = begin
    file.truncate(size)


def read_outcomes(file: BinaryIO, *, upserts: bool) -> Iterator[AnsweredRow]:
    """The rows of one of the three files; which one, its header tells. Raises `DamagedCsv`."""
    with closing(read_csv(file)) as rows:
        header = next(rows, [])
        spelled = {name.casefold(): name for name in header}
        for row in rows:
            said = dict(zip(header, row, strict=True))
            cells = {name: text for name, text in said.items() if text and name not in _ADDED}
            yield AnsweredRow(_outcome(said, spelled, upserts=upserts), cells)


def _outcome(
    said: Mapping[str, str], spelled: Mapping[str, str], *, upserts: bool
) -> Written | Refused | Unprocessed:
    if _ERROR in said:
        return refused(said[_ERROR], spelled)
    if _RECORD not in said:
        return _UNPROCESSED
    record_id = full_record_id(said[_RECORD])
    if record_id is None:
        raise DamagedCsv(f"{said[_RECORD][:18]!r} in the place of a record id")
    return Written(record_id, upserts and said.get(_CREATED, "").lower() == "true")


def refused(text: str, spelled: Mapping[str, str]) -> Refused:
    """The errors of a row: `CODE:message:Field,Field --`, one after the other.

    `spelled` has the names of the columns by their casefolded names: errors have some in small letters.
    """
    errors = [_error(one) for one in _NEXT_ERROR.split(text)]
    fields = dict.fromkeys(spelled.get(name.casefold(), name) for _, _, names in errors for name in names)
    message = "; ".join(message for _, message, _ in errors if message)
    return Refused(errors[0][0], message or "The org refused the record without saying why.", tuple(fields))


def _error(text: str) -> tuple[str, str, list[str]]:
    """Code, message and fields; the message may have colons, too."""
    code, colon, rest = text.partition(":")
    if not colon or not _CODE.fullmatch(code):
        return _UNKNOWN, text.strip(), []
    message, colon, names = rest.removesuffix(_END).rpartition(":")
    names = names.strip()
    if not colon or not rest.endswith(_END) or (names and not _FIELDS.fullmatch(names)):
        return code, rest.removesuffix(_END).strip(), []
    return code, message.strip(), [name.strip() for name in names.split(",") if name.strip()]
