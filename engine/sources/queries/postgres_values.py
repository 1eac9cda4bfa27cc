"""Loads values of PostgreSQL that Python's own types do not hold, or would hold differently."""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import TimestampLoader
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.sources.reading import NotJson, read_json

_INFINITY = float("inf")
_AS_TEXT = (
    "uuid inet cidr macaddr interval time timetz"
    " int4range int8range numrange daterange tsrange tstzrange"
    " int4multirange int8multirange nummultirange datemultirange tsmultirange tstzmultirange"
).split()


class MomentLoader(Loader):
    """A timestamptz as ISO text in UTC, which is the session's time zone; infinity as the number."""

    def load(self, data: Buffer) -> str | float:
        text = bytes(data).decode()
        if text.endswith("+00"):
            return f"{text[:-3].replace(' ', 'T', 1)}Z"
        return _INFINITY if "infinity" in text else text


class LocalTimeLoader(TimestampLoader):
    """A timestamp without a time zone; infinity as the number, and years that Python does not know as text."""

    def load(self, data: Buffer) -> datetime | str | float:  # type: ignore[override]
        try:
            return super().load(data)
        except psycopg.DataError:
            text = bytes(data).decode()
            return _INFINITY if "infinity" in text else text


class DayLoader(Loader):
    """A date as ISO text; infinity as the number."""

    def load(self, data: Buffer) -> str | float:
        text = bytes(data).decode()
        return _INFINITY if "infinity" in text else text


class PaddedTextLoader(TextLoader):
    """A char(n) without the blanks that fill it."""

    def load(self, data: Buffer) -> str | bytes:
        text = super().load(data)
        return text.rstrip(" ") if isinstance(text, str) else text


def register_loaders(connection: psycopg.Connection[Any]) -> None:
    adapters = connection.adapters
    adapters.register_loader("timestamptz", MomentLoader)
    adapters.register_loader("timestamp", LocalTimeLoader)
    adapters.register_loader("date", DayLoader)
    adapters.register_loader("bpchar", PaddedTextLoader)
    for name in _AS_TEXT:
        adapters.register_loader(name, TextLoader)
    set_json_loads(_json, connection)


def _json(data: str | bytes) -> Json:
    try:
        return read_json(data.encode() if isinstance(data, str) else data)
    except NotJson:
        return data if isinstance(data, str) else data.decode()
