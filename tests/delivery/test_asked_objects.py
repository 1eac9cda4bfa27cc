"""What the org has said about its objects holds for a while, and not for ever."""

from pathlib import Path

from sfmap.engine.delivery.asked_objects import AskedObjects
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.write_pace import WritePace
from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.yaml_files.diagnostics import Source

MAPPING = "{sfmap: 1, event: identify, object: Lead, match: Email, fields: {Email: traits.email}}"


def test_a_service_that_had_no_events_for_long_asks_the_org_before_the_next_one(tmp_path: Path) -> None:
    now = 0.0
    with start_local_org(tmp_path / "org.db") as local:
        sign_in = PasswordLogin(
            username=local.username, password=Secret(local.password), security_token=Secret(local.security_token)
        )
        org = SoapOrg(SoapSettings(login_url=local.url, sign_in=sign_in), clock=lambda: now)
        mapper = Mapper(compile_mappings(ChosenMappings(sources={"lead": Source("lead.yaml", MAPPING)})))
        threads = OrgThreads(WritePace(4))
        objects = AskedObjects(org=org, mapper=mapper, waiter=Waiter(), threads=threads, clock=lambda: now)
        asked = []
        for minutes in (0, 29, 61):
            now = minutes * 60.0
            objects.now()
            asked.append(org.calls()["describeGlobal"])
    assert asked == [1, 1, 2]
