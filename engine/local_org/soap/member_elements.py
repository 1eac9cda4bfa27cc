"""Writes the members of descriptions as elements."""

from collections.abc import Mapping

from sfmap.engine.local_org.soap.envelope import element

_NIL = frozenset(
    {
        "defaultImplementation", "implementedBy", "implementsInterfaces", "keyPrefix", "networkScopeFieldName",
        "urlDetail", "urlEdit", "urlNew",
    }
)  # fmt: skip
"""Members that are sent even without a value."""
_FLAGS_SENT_IF_TRUE = frozenset(
    {
        "cascadeDelete", "dependentPicklist", "displayLocationInDecimal", "encrypted", "externalId",
        "formulaTreatNullNumberAsZero", "highScaleNumber", "htmlFormatted", "namePointing", "restrictedDelete",
        "writeRequiresMasterRead",
    }
)  # fmt: skip


def members(facts: Mapping[str, object], within: str = "") -> str:
    """The elements; members without a value are left out where they may be. `within` names what they describe."""
    return "".join(_member(name, value, within) for name, value in facts.items())


def _member(name: str, value: object, within: str) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{members(value, name)}</{name}>"
    if isinstance(value, list):
        return "".join(_member(name, one, within) for one in value)
    is_of_field = within == "fields"
    if (value is None and name not in _NIL) or (is_of_field and value is False and name in _FLAGS_SENT_IF_TRUE):
        return ""
    text = element(name, value)
    if is_of_field and name == "defaultValue":
        kind = "boolean" if isinstance(value, bool) else "string"
        return text.replace(">", f' xsi:type="xsd:{kind}">', 1)
    return text
