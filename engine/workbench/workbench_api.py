"""The endpoints of the workbench: what each is asked for, and what it answers."""

import time
from dataclasses import asdict
from pathlib import Path

from starlette.routing import Route

from sfmap.engine.http.change_stream import ChangeStream
from sfmap.engine.journal.lock import running_command
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.workbench.accepting_snapshots import accept_snapshots
from sfmap.engine.workbench.caught_events import caught_events
from sfmap.engine.workbench.compilations import Compilation
from sfmap.engine.workbench.described_objects import shown_object
from sfmap.engine.workbench.diagnostic_fixes import shown_diagnostic
from sfmap.engine.workbench.editable_files import EditableFile, FileChanged, FileRefused
from sfmap.engine.workbench.edited_project import EditedProject, Texts
from sfmap.engine.workbench.json_api import Call, JsonApi, RequestRefused
from sfmap.engine.workbench.language_help import language_help
from sfmap.engine.workbench.precedence import Precedence
from sfmap.engine.workbench.sample_events import read_given_event
from sfmap.engine.workbench.sample_overview import SnapshotFiles, overview
from sfmap.engine.workbench.seen_paths import seen_paths


class Workbench:
    """Answers pages about one project."""

    def __init__(self, folder: Path, org_name: str | None, changes: ChangeStream) -> None:
        self.changes = changes
        self._project = EditedProject(folder, org_name, on_org=lambda: changes.publish("org"))
        self._snapshots = SnapshotFiles()
        self._precedence = Precedence()

    def routes(self, api: JsonApi) -> list[Route]:
        return [
            api.route("/api/project", GET=self._overview),
            api.route("/api/file", GET=self._file, PUT=self._save, POST=self._create),
            api.route("/api/check", POST=self._check),
            api.route("/api/samples", GET=self._samples, POST=self._add_sample),
            api.route("/api/render", POST=self._render),
            api.route("/api/render-all", POST=self._render_all),
            api.route("/api/snapshots/accept", POST=self._accept),
            api.route("/api/objects", GET=self._objects_known),
            api.route("/api/describe", GET=self._describe),
            api.route("/api/paths", GET=self._paths),
            api.route("/api/language", GET=lambda _: language_help()),
            api.route("/api/caught", GET=self._caught),
        ]

    def watch(self) -> None:
        """Tells the pages what other programs have changed, if any page is open."""
        for what in self._project.changed():
            self.changes.publish(what)

    def _overview(self, _call: Call) -> object:
        project = self._project.file()
        head = self._project.head.head()
        self._project.head.mapper()
        return {
            "name": self._project.files.folder.name,
            "branch": head.branch if head else "",
            "head": head.commit[:10] if head else "",
            "head_message": self._project.head.message,
            "org": asdict(self._project.org.state(project)),
            "orgs": [LOCAL, *(name for name in project.orgs if name != LOCAL)],
            "files": [self._listed(file) for file in self._project.files.all()],
            "service": _service(project),
        }

    def _listed(self, file: EditableFile) -> dict[str, object]:
        told: dict[str, object] = {"path": file.name, "kind": file.kind, "readonly": file.is_readonly}
        try:
            return {**told, "etag": self._project.files.read(file).etag, "problem": ""}
        except FileRefused as why:
            return {**told, "etag": "", "readonly": True, "problem": str(why)}

    def _file(self, call: Call) -> object:
        file = self._project.files.find(call.text("path"))
        read = self._project.files.read(file)
        return {
            "path": file.name,
            "text": read.text,
            "etag": read.etag,
            "head": self._project.head.text(file.name) if file.location else None,
            "readonly": file.is_readonly,
        }

    def _save(self, call: Call) -> object:
        file = self._project.files.find(call.text("path"))
        if not call.if_match:
            raise RequestRefused(428, "a file is only written with If-Match: the etag that it was read with")
        text = call.body.get("text")
        if not isinstance(text, str):
            raise RequestRefused(400, "the request needs the text of the file")
        try:
            return {"etag": self._project.files.write(file, text, call.if_match)}
        except FileChanged as changed:
            now = (
                {"text": changed.now.text, "etag": changed.now.etag} if changed.now else {"text": None, "etag": ""}
            )
            raise RequestRefused(409, str(changed), now) from None

    def _create(self, call: Call) -> object:
        text = call.body.get("text")
        name, etag = self._project.files.create(call.text("path"), text if isinstance(text, str) else None)
        return {"path": name, "etag": etag}

    def _check(self, call: Call) -> object:
        with self._precedence.first():
            return self._checked(self._project.compiled(_texts(call)))

    def _checked(self, compilation: Compilation) -> object:
        mappings = compilation.check.mappings
        org = self._project.org
        return {
            "diagnostics": [
                shown_diagnostic(one, self._project.name_of(one.file)) for one in compilation.check.diagnostics
            ],
            "fields": sum(len(one.mapping.rules) for one in mappings),
            "against": org.against(compilation.project, is_whole=compilation.check.is_whole),
            "org": asdict(org.state(compilation.project)),
        }

    def _samples(self, _call: Call) -> object:
        return [sample.as_json() for sample in self._project.samples.all({})]

    def _add_sample(self, call: Call) -> object:
        return {"id": self._project.samples.add(read_given_event(call.body.get("event")), call.text("file"))}

    def _render(self, call: Call) -> object:
        with self._precedence.first():
            return self._rendered(call)

    def _rendered(self, call: Call) -> object:
        given = call.body.get("event")
        event = read_given_event(given) if given else self._project.samples.find(call.text("sample"), _texts(call))
        compilation, mapper = self._project.usable(_texts(call))
        if mapper is None:
            return {"results": [], "gone": [], "unread": [], "event": event, "stale": True, "ms": 0}
        started = time.perf_counter()
        shown = self._project.shown(mapper, compilation.project)
        results, gone = shown.compared(event)
        told = {"results": results, "gone": gone, "unread": shown.unread(event), "event": event}
        spent = round((time.perf_counter() - started) * 1000, 1)
        return {**told, "stale": compilation.mapper is None, "ms": spent}

    def _render_all(self, call: Call) -> object:
        compilation, mapper = self._project.usable(_texts(call))
        if mapper is None:
            return {"samples": [], "changed": 0, "snapshots": 0, "stale": True}
        samples = self._project.samples.all(_texts(call))
        told = overview(
            samples, self._project.shown(mapper, compilation.project), self._snapshots, self._precedence
        )
        if told is None:
            raise RequestRefused(409, "a newer request has replaced this one")
        return {**told, "stale": compilation.mapper is None}

    def _accept(self, _call: Call) -> object:
        accepted, message = accept_snapshots(self._project.files.folder)
        self.changes.publish("samples")
        return {"accepted": accepted, "message": message}

    def _objects_known(self, _call: Call) -> object:
        known = {**self._project.org.standard(self._project.file()), **self._project.org.known()}
        return [{"name": one.name, "label": one.label} for one in known.values()]

    def _describe(self, call: Call) -> object:
        name, project = call.text("object"), self._project.file()
        of_org = self._project.org.described(project, [name])
        described = (self._project.org.standard(project) if of_org is None else of_org).get(name)
        if described is None:
            raise RequestRefused(404, f"{name[:80]} is not known: {self._project.org.state(project).message}")
        return {**shown_object(described), "known": "standard" if of_org is None else "org"}

    def _paths(self, call: Call) -> object:
        _, mapper = self._project.usable({})
        events = [sample.event for sample in self._project.samples.all({}) if sample.event]
        caught, _ = caught_events(self._project.file())
        given = [*events, *(one for event in caught if isinstance(one := event["event"], dict))]
        return seen_paths(given, mapper.mappings if mapper else ())

    def _caught(self, _call: Call) -> object:
        events, message = caught_events(self._project.file())
        return {"events": events, "message": message}


def _service(project: ProjectFile) -> dict[str, object]:
    """Whether a service of this project runs on this machine, whose events can be caught."""
    is_running = running_command(project.state) == "sfmap serve"
    return {"running": is_running, "message": "" if is_running else "sfmap serve is not running in this project."}


def _texts(call: Call) -> Texts:
    """The unsaved texts of a request, by the names of their files. Raises `RequestRefused`."""
    files = call.body.get("files", {})
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise RequestRefused(400, "files must be an object of texts by path")
    return files
