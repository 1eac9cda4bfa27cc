"""The endpoints of the workbench: what each is asked for, and what it answers."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from starlette.routing import Route

from sfmap.engine.inspect.org_check import Descriptions
from sfmap.engine.inspect.project_check import known_without_org
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.project.project_file import ProjectFile, read_project
from sfmap.engine.workbench.compilations import Compilation, Compilations
from sfmap.engine.workbench.described_org import DescribedOrg
from sfmap.engine.workbench.diagnostic_fixes import shown_diagnostic
from sfmap.engine.workbench.editable_files import EditableFiles, FileChanged, FileRefused
from sfmap.engine.workbench.head_mappings import HeadMappings
from sfmap.engine.workbench.json_api import Call, JsonApi, RequestRefused
from sfmap.engine.workbench.sample_events import SampleEvents, read_given_event
from sfmap.engine.workbench.shown_results import ShownResults
from sfmap.engine.yaml_files.diagnostics import Mistakes


class Workbench:
    """One project that is being edited."""

    def __init__(self, folder: Path, org_name: str | None) -> None:
        self.files = EditableFiles(folder)
        self.samples = SampleEvents(self.files)
        self.org = DescribedOrg(org_name, on_change=self._described)
        self.head = HeadMappings(self.files.folder, org_name)
        self.compilations = Compilations(self.files.folder, org_name, self.org)

    def routes(self, api: JsonApi) -> list[Route]:
        return [
            api.route("/api/project", GET=self._project),
            api.route("/api/file", GET=self._file, PUT=self._save, POST=self._create),
            api.route("/api/check", POST=self._check),
            api.route("/api/samples", GET=self._samples, POST=self._add_sample),
            api.route("/api/render", POST=self._render),
        ]

    def comparison(self, now: Mapper, project: ProjectFile) -> ShownResults:
        return ShownResults(
            now=now, before=self.head.mapper(), objects=self._objects(now, project), name_of=self._name_of
        )

    def _project(self, _call: Call) -> object:
        project, _ = read_project(self.files.folder)
        head = self.head.head()
        self.head.mapper()
        return {
            "name": self.files.folder.name,
            "branch": head.branch if head else "",
            "head": head.commit[:10] if head else "",
            "head_message": self.head.message,
            "org": asdict(self.org.state(project)),
            "orgs": [LOCAL, *(name for name in project.orgs if name != LOCAL)],
            "files": [self._listed(file.name) for file in self.files.all()],
            "service": {"running": False, "message": ""},
        }

    def _listed(self, name: str) -> dict[str, object]:
        file = self.files.find(name)
        told: dict[str, object] = {"path": name, "kind": file.kind, "readonly": file.is_readonly}
        try:
            return {**told, "etag": self.files.read(file).etag, "problem": ""}
        except FileRefused as why:
            return {**told, "etag": "", "readonly": True, "problem": str(why)}

    def _file(self, call: Call) -> object:
        file = self.files.find(call.text("path"))
        read = self.files.read(file)
        return {
            "path": file.name,
            "text": read.text,
            "etag": read.etag,
            "head": self.head.text(file.name) if file.location else None,
            "readonly": file.is_readonly,
        }

    def _save(self, call: Call) -> object:
        file = self.files.find(call.text("path"))
        if not call.if_match:
            raise RequestRefused(428, "a file is only written with If-Match: the etag that it was read with")
        text = call.body.get("text")
        if not isinstance(text, str):
            raise RequestRefused(400, "the request needs the text of the file")
        try:
            return {"etag": self.files.write(file, text, call.if_match)}
        except FileChanged as changed:
            now = (
                {"text": changed.now.text, "etag": changed.now.etag} if changed.now else {"text": None, "etag": ""}
            )
            raise RequestRefused(409, str(changed), now) from None

    def _create(self, call: Call) -> object:
        text = call.body.get("text")
        name, etag = self.files.create(call.text("path"), text if isinstance(text, str) else None)
        return {"path": name, "etag": etag}

    def _check(self, call: Call) -> object:
        compilation = self._compiled(call)
        mappings = compilation.check.mappings
        return {
            "diagnostics": [
                shown_diagnostic(one, self._name_of(one.file)) for one in compilation.check.diagnostics
            ],
            "fields": sum(len(one.mapping.rules) for one in mappings),
            "against": self.org.name(compilation.project) if compilation.is_whole else "the standard objects",
            "org": asdict(self.org.state(compilation.project)),
        }

    def _samples(self, _call: Call) -> object:
        return [sample.as_json() for sample in self.samples.all({})]

    def _add_sample(self, call: Call) -> object:
        return {"id": self.samples.add(read_given_event(call.body.get("event")), call.text("file"))}

    def _render(self, call: Call) -> object:
        given = call.body.get("event")
        event = read_given_event(given) if given else self.samples.find(call.text("sample"), _texts(call))
        compilation, mapper = self._usable(call)
        if mapper is None:
            return {"results": [], "gone": [], "unread": [], "event": event, "stale": True, "ms": 0}
        started = time.perf_counter()
        comparison = self.comparison(mapper, compilation.project)
        shown = {
            "results": comparison.results(event),
            "gone": comparison.gone(event),
            "unread": comparison.unread(event),
        }
        spent = round((time.perf_counter() - started) * 1000, 1)
        return {**shown, "event": event, "stale": compilation.mapper is None, "ms": spent}

    def _usable(self, call: Call) -> tuple[Compilation, Mapper | None]:
        """The mappings as they are edited, or while they have mistakes as they were before those."""
        compilation = self._compiled(call)
        return compilation, compilation.mapper or self.compilations.last_good or self.head.mapper()

    def _compiled(self, call: Call) -> Compilation:
        texts = _texts(call)
        places = {name: self.files.find(name).location for name in texts}
        return self.compilations.of({place: texts[name] for name, place in places.items() if place})

    def _objects(self, mapper: Mapper, project: ProjectFile) -> Descriptions:
        try:
            return self.org.described(project, mapper.objects) or known_without_org(project)
        except Mistakes:
            return {}

    def _name_of(self, file: str) -> str:
        """The name of a file of a diagnostic."""
        path = Path(file)
        if path.is_absolute() and path.is_relative_to(self.files.folder):
            return path.relative_to(self.files.folder).as_posix()
        return file

    def _described(self) -> None:
        self.compilations.forget()


def _texts(call: Call) -> Mapping[str, str]:
    """The unsaved texts of a request, by the names of their files. Raises `RequestRefused`."""
    files = call.body.get("files", {})
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise RequestRefused(400, "files must be an object of texts by path")
    return files
