"""Workers of a topic and other commands that deliver to the same org."""

import signal
import subprocess

from ...folder import SFMAP, identify, wait_for
from ...kafka_brokers import Brokers
from ...postgres import Postgres
from ...scene import SECRETS, Scene
from .topics import topic_of

LEAD = """\
event: identify
object: Lead
match: [Email]
fields: {Email: traits.email, LastName: {value: Lee}, Company: {value: n/a}}
"""


def test_a_worker_gives_way_to_a_run_and_goes_on_after_it(
    scene: Scene, brokers: Brokers, postgres: Postgres
) -> None:
    scene.mapping(LEAD)
    project = scene.folder.path / "sfmap.yaml"
    with topic_of(scene.folder, brokers) as topics:
        scene.mapping(LEAD)
        kafka = f'{{brokers: "{brokers.address}", topic: {topics.topic}}}'
        more = f"state: {postgres.new_database()}\nsources: {{events: {{kafka: {kafka}}}}}\n"
        project.write_text(f"{project.read_text()}{more}")
        topics.send(identify("first@b.co"))
        command = [str(SFMAP), "run", "--source", "events", "--org", "org"]
        worker = subprocess.Popen(command, cwd=scene.folder.path, stderr=subprocess.PIPE, text=True, env=SECRETS)
        try:
            wait_for(worker, lambda: scene.rows("SELECT Email FROM Lead") == [("first@b.co",)])
            scene.run(identify("run@b.co"))
            topics.send(identify("last@b.co"))
            wait_for(worker, lambda: ("last@b.co",) in scene.rows("SELECT Email FROM Lead"))
        finally:
            worker.send_signal(signal.SIGTERM)
            _, said = worker.communicate(timeout=60)
        assert "Another command delivers to this org first." in said
        assert len(scene.rows("SELECT Email FROM Lead")) == 3
