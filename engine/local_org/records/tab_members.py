"""What a describe says of tabs, in the API's order; SOAP and REST write it in their own form."""

from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema

_COLOR = {"color": "0176D3", "context": "primary", "theme": "theme4"}


def with_tabs(schema: Schema) -> list[ObjectSchema]:
    """The objects whose records people open."""
    return [one for one in schema.objects.values() if not one.seed and "layoutable" not in one.cannot]


def described_tab(target: ObjectSchema, base_url: str) -> dict[str, object]:
    icon = _icon(target, base_url)
    return {
        "colors": [_COLOR],
        "custom": target.custom,
        "iconUrl": icon["url"],
        "icons": [icon],
        "label": target.plural,
        "miniIconUrl": icon["url"],
        "name": target.name if target.custom else f"standard-{target.name}",
        "sobjectName": target.name,
        "url": f"{base_url}/{target.key_prefix}/o",
    }


def _icon(target: ObjectSchema, base_url: str) -> dict[str, object]:
    kind = "custom" if target.custom else "standard"
    return {
        "contentType": "image/svg+xml",
        "height": 0,
        "theme": "theme4",
        "url": f"{base_url}/img/icon/t4v35/{kind}/default.svg",
        "width": 0,
    }
