"""Clients that nobody here wrote, unmodified: what they send ends as the right Lead and Account."""

import rudderstack.analytics
import segment.analytics
import segment.analytics.client

from .conftest import KEY, Service

NAMED = {"Salesforce": True}
PETER = {"email": "peter@initech.com", "firstName": "Peter", "lastName": "Gibbons", "company": "Initech"}
TEEMO = {"name": "Teemo Industries", "employees": 4, "address": {"city": "East Greenwich", "country": "US"}}


def check(service: Service) -> None:
    service.wait_for(lambda: service.metric('sfmap_outcomes_total{outcome="created"}') == 2)
    rows = service.folder.rows
    assert rows("SELECT Email, FirstName, LastName, Company FROM Lead") == [
        ("peter@initech.com", "Peter", "Gibbons", "Initech")
    ], service.log()
    assert rows("SELECT AccountNumber, Name, BillingCity, NumberOfEmployees FROM Account") == [
        ("813", "Teemo Industries", "East Greenwich", 4)
    ]


def test_segment_analytics_python(service: Service) -> None:
    service.start()
    client = segment.analytics.client.Client(KEY, host=service.url, gzip=True)
    client.identify("peter", PETER, integrations=NAMED)
    client.group("peter", "813", TEEMO, integrations=NAMED)
    client.flush()
    client.join()
    check(service)


def test_rudder_sdk_python(service: Service) -> None:
    service.start()
    client = rudderstack.analytics.Client(KEY, host=service.url)
    client.identify("peter", PETER, integrations=NAMED)
    client.group("peter", "813", TEEMO, integrations=NAMED)
    client.flush()
    client.join()
    check(service)
