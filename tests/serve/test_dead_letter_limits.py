"""A source whose events fail too often is refused until there is room again."""

from ..service import PROJECT, SECRETS, Service

OPTED_IN = {"Salesforce": True}


def fail(service: Service, message: str, key: str) -> int:
    """An event that no Lead can be made of; the status of its answer."""
    body = {"writeKey": SECRETS[key], "messageId": message, "traits": {"x": "y" * 3_000}, "integrations": OPTED_IN}
    return service.ask("/v1/identify", body).status


def test_a_source_with_too_many_dead_letters_is_refused_until_there_is_room(service: Service) -> None:
    project = PROJECT.replace("serve:\n", "serve:\n  dead_letter_megabytes: 0.01\n")
    (service.folder.path / "sfmap.yaml").write_text(project)
    service.start()
    statuses = []
    for number in range(6):
        statuses.append(fail(service, str(number), "WEBSITE_KEY"))
        service.wait_until_delivered()
    assert statuses == [200, 200, 200, 200, 503, 503]
    refused = service.ask("/v1/page", {"writeKey": SECRETS["WEBSITE_KEY"]})
    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    assert b"too many events of this source have failed" in refused.body
    assert "Too many events of website have failed" in service.ask("/").body.decode()
    assert service.metric("sfmap_dead_letters") == 4
    assert service.metric("sfmap_dead_letter_bytes") > 12_000
    # Others are heard, and who comes again after a restart is not.
    assert fail(service, "other", "SERVER_KEY") == 200
    service.wait_until_delivered()
    assert service.stop() == 0
    service.start()
    assert fail(service, "again", "WEBSITE_KEY") == 503
    # Another program makes room.
    discarded = service.folder.sfmap("dead-letters", "--reason", "Email is required", "--discard")
    assert discarded.returncode == 0, discarded.stderr
    assert service.wait_for(lambda: fail(service, "again", "WEBSITE_KEY") == 200)
