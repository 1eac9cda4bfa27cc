"""Events that a running service has accepted are caught, and can become samples."""

from sfmap.tests.service import KEY, Service

from .dev import ANA, project, started


def test_an_event_of_a_running_service_is_caught_and_becomes_a_sample(service: Service) -> None:
    project_file = (service.folder.path / "sfmap.yaml").read_text()
    project(service.folder.path)
    (service.folder.path / "sfmap.yaml").write_text(project_file + "mappings: mappings\n")
    service.start()
    with started(service.folder) as dev:
        assert dev.get("/api/project")["service"]["running"]
        assert service.ask("/v1/batch", {"writeKey": KEY, "batch": [{**ANA, "messageId": "new"}]}).status == 200
        service.wait_until_delivered()
        assert service.wait_for(lambda: dev.get("/api/caught")["events"]), service.log()
        (caught,) = dev.get("/api/caught")["events"]
        assert (caught["title"], caught["type"], caught["message_id"]) == ("ana@example.com", "identify", "new")
        assert dev.post("/api/render", files={}, event=caught["event"])["results"][0]["kind"] == "record"
        added = dev.post("/api/samples", event=caught["event"], file="tests/events/samples.ndjson")
        assert added == {"id": "tests/events/samples.ndjson::new"}
        service.stop()
        assert not dev.get("/api/project")["service"]["running"]
