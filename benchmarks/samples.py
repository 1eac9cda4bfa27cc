"""Sample events for the benchmarks: identify calls of about 950 bytes with 15 traits, the same each time."""

import random
from collections.abc import Iterator

import orjson

from sfmap.engine.mapping.values.record import Json

_CITIES = ("Berlin", "Providence", "Oslo", "Nairobi", "Lima")
_TITLES = ("Clerk", "Head of Sales", "VP of Derp", "Engineer")


def events(number: int, identities: int | None = None, padding: int = 0) -> Iterator[dict[str, Json]]:
    """So many events, of as many people unless fewer are asked for.

    Each is longer by the padding, which no mapping reads.
    """
    dice = random.Random(7)  # noqa: S311
    for count in range(number):
        person = count % (identities or number)
        yield {
            "type": "identify",
            "messageId": f"ajs-next-507f191e-810c-4997-bc9d-{count:012x}",
            "userId": f"user-{person}",
            "anonymousId": f"507f191e-810c-4997-bc9d-{count:012x}",
            "timestamp": "2026-11-23T10:00:00.000Z",
            "receivedAt": "2026-11-23T10:00:00.345Z",
            "context": {
                **({"padding": "x" * padding} if padding else {}),
                "ip": "203.0.113.7",
                "locale": "en-US",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0",
                "library": {"name": "analytics.js", "version": "2.11.1"},
                "page": {"path": "/pricing", "url": "https://www.example.com/pricing"},
            },
            "integrations": {"Salesforce": True},
            "traits": {
                "email": f"person{person}@example.com",
                "firstName": "Peter",
                "lastName": f"Gibbons {person % 97}",
                "title": dice.choice(_TITLES),
                "phone": f"570-690-{person % 10_000:04d}",
                "company": {"name": f"Initech {person % 211}", "id": person % 211},
                "website": "https://www.example.com",
                "rating": "Hot",
                "employees": person % 5_000,
                "address": {
                    "street": "19123 forest lane",
                    "city": dice.choice(_CITIES),
                    "state": "RI",
                    "postalCode": "94115",
                    "country": "USA",
                },
                "createdAt": "2026-01-02T03:04:05Z",
                "plan": "enterprise",
                "logins": count % 1_000,
                "isAdmin": count % 2 == 0,
                "favouriteColour": "green",
            },
        }


def lines(number: int, identities: int | None = None) -> list[bytes]:
    return [orjson.dumps(event) for event in events(number, identities)]
