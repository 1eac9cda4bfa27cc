"""A folded record between the back-fill that makes it and the run that delivers it: its contents as JSON."""

from collections.abc import Mapping
from typing import cast

from sfmap.engine.delivery.item import Content, Fitted, Item, Pointer, Target, lookup_key
from sfmap.engine.journal.entries import RecordKey
from sfmap.engine.mapping.values.record import Addition, Json, Note, Record, RecordPlan, Value
from sfmap.engine.sources.record_lines import NotARecord

Line = Mapping[str, Json]


def item_of(plan: RecordPlan, fitted: Fitted, item_number: int = 0) -> Item:
    """The item of a record that has been fitted."""
    return Item(
        place=0,
        key=RecordKey(event=0, digest="", mapping=plan.mapping, item_number=item_number),
        record=without_contents(plan),
        fitted=fitted,
        lookup_keys=tuple(lookup_key(plan.object, lookup) for lookup in fitted.match),
    )


def without_contents(plan: RecordPlan) -> Record:
    """A record whose contents have been fitted before."""
    return Record(plan=plan, match=(), fields={}, create_only={}, update_only={}, if_empty={}, origins={})


def contents_line(fitted: Fitted) -> dict[str, object]:
    """The contents as JSON has them; without an `update`, an update is the same as a create."""
    line: dict[str, object] = {"match": fitted.match, "create": fitted.on_create}
    if fitted.on_update != fitted.on_create:
        line["update"] = fitted.on_update
    if fitted.if_empty:
        line["if_empty"] = fitted.if_empty
    if fitted.notes:
        line["notes"] = [(note.field, note.what) for note in fitted.notes]
    if fitted.points or fitted.adds:
        line["refers"] = True
    if not fitted.complete:
        line["complete"] = False
    if fitted.likely_refused:
        line["likely_refused"] = True
    return line


def read_contents(line: Line) -> Fitted:
    """The contents of a line. Raises `NotARecord`."""
    try:
        read = _contents if line.get("refers") else _plain
        create = read(line["create"])
        update = read(line["update"]) if "update" in line else create
        if_empty = read(line.get("if_empty") or {})
        match = tuple(map(read, cast(list[Json], line["match"])))
        notes = tuple(Note(field, what) for field, what in cast(list[list[str]], line.get("notes") or []))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotARecord("not a record of sfmap backfill") from error
    written = (create, update, if_empty, *match) if line.get("refers") else ()
    every = [content for contents in written for content in contents.values()]
    return Fitted(
        match=cast(tuple[Mapping[str, Value | Pointer], ...], match),
        on_create=create,
        on_update=update,
        if_empty=if_empty,
        notes=notes,
        likely_refused=bool(line.get("likely_refused")),
        complete=line.get("complete") is not False,
        points=any(isinstance(content, Pointer) for content in every),
        adds=any(isinstance(content, Addition) for content in every),
    )


def _plain(line: Json) -> dict[str, Content]:
    """Contents without pointers and additions, which JSON has as they are."""
    if not isinstance(line, dict):
        raise TypeError
    return cast(dict[str, Content], line)


def _contents(line: Json) -> dict[str, Content]:
    return {name: _content(content) for name, content in cast(dict[str, Json], line).items()}


def _content(content: Json) -> Content:
    if not isinstance(content, dict):
        return cast(Content, content)
    if "targets" not in content:
        return Addition(str(content["values"]))
    targets = cast(list[dict[str, str]], content["targets"])
    said = cast(dict[str, object], content)
    return Pointer(**{**said, "targets": tuple(Target(**one) for one in targets)})  # type: ignore[arg-type]
