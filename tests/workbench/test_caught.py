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


def test_the_page_of_the_service_links_to_the_rules_in_the_workbench(service: Service) -> None:
    project_file = (service.folder.path / "sfmap.yaml").read_text()
    project(service.folder.path)
    (service.folder.path / "sfmap.yaml").write_text(project_file + "mappings: mappings\n")
    service.start()
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": [ANA]}).status == 200
    service.wait_until_delivered()
    assert service.wait_for(lambda: b"1 outcome<" in service.ask("/?tab=events").body)
    assert b"Workbench" not in service.ask("/?event=1").body
    with started(service.folder) as dev:
        page = service.ask("/?event=1").body.decode()
        assert f'<a href="{dev.url}/">Workbench</a>' in page
        assert f'<a href="{dev.url}/#mappings/lead.yaml:10" target="sfmap-workbench">' in page
        assert dev.token not in page
    assert service.wait_for(lambda: b"Workbench" not in service.ask("/?event=1").body)
