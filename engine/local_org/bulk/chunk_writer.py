"""Writes one chunk of a job's rows as records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sfmap.engine.local_org.bulk.csv_columns import CsvColumn, sent_record
from sfmap.engine.local_org.bulk.csv_dialects import CsvTable
from sfmap.engine.local_org.bulk.row_results import RowResult, row_result
from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.record_writer import SaveResult, SentRecord, Writer

DELETES = ("delete", "hardDelete")
_WRONG_ROW = "INVALID_ROW"
_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWrites:
    """What a job does with its rows."""

    operation: str
    key: str
    target: ObjectSchema
    columns: Sequence[CsvColumn]

    def write(self, chunk: CsvTable, writer: Writer) -> list[RowResult]:
        """The results of the rows, in order."""
        results: list[RowResult | None] = []
        sent: list[SentRecord] = []
        for number, row in enumerate(chunk.rows):
            try:
                if number in chunk.mistakes:
                    raise InvalidRecord(RecordError(_WRONG_ROW, chunk.mistakes[number]))
                sent.append(self._sent(row))
                results.append(None)
            except InvalidRecord as invalid:
                results.append(RowResult("", created=False, errors=invalid.errors))
        written = iter(zip(sent, self._operation(writer)(sent), strict=True))
        return [one or _result(*next(written)) for one in results]

    def _sent(self, row: Sequence[str]) -> SentRecord:
        """The record of a row. Raises `InvalidRecord`."""
        sent = sent_record(self.columns, row, self.target)
        if self.operation in DELETES and not _id(sent).startswith(self.target.key_prefix):
            raise InvalidRecord(RecordError("MALFORMED_ID", f"bad id {_id(sent)[:_SHOWN]}"))
        return sent

    def _operation(self, writer: Writer) -> Callable[[Sequence[SentRecord]], list[SaveResult]]:
        match self.operation:
            case "insert":
                return lambda sent: writer.create(sent, all_or_none=False)
            case "update":
                return lambda sent: writer.update(sent, all_or_none=False)
            case "upsert":
                return lambda sent: writer.upsert(self.key, sent, all_or_none=False)
            case _:
                return partial(_delete, writer, for_good=self.operation == "hardDelete")


def _delete(writer: Writer, sent: Sequence[SentRecord], *, for_good: bool) -> list[SaveResult]:
    return writer.delete([_id(one) for one in sent], all_or_none=False, for_good=for_good)


def _id(sent: SentRecord) -> str:
    return sent.values.get("Id") or ""


def _result(sent: SentRecord, saved: SaveResult) -> RowResult:
    return row_result(saved, _id(sent))
