"""Where a row of a query has what a record of the response contains."""

from dataclasses import dataclass

from sfmap.engine.local_org.soql.columns import Column


@dataclass(frozen=True, slots=True)
class ValueCell:
    """A field or function."""

    name: str
    position: int
    column: Column


@dataclass(frozen=True, slots=True)
class CompoundCell:
    """A field that consists of others, such as an address: null if they all are."""

    name: str
    kind: str
    parts: tuple[ValueCell, ...]
    """Named as in responses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentKind:
    """One of the objects that a parent may be of."""

    shown: str
    """The object's name in the response."""
    object_name: str
    id_position: int
    cells: tuple["RowCell", ...]


@dataclass(frozen=True, slots=True)
class ParentCell:
    """A parent's record: of the first kind whose id the row has, or null."""

    name: str
    kinds: tuple[ParentKind, ...]


@dataclass(frozen=True, slots=True)
class ChildrenCell:
    """The records of a child query."""

    name: str
    number: int
    """Which of the query's child queries."""


RowCell = ValueCell | CompoundCell | ParentCell | ChildrenCell
