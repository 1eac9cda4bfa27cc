"""A client of the real yaml-language-server, which VS Code, Neovim and JetBrains speak to over stdio."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

Message = Mapping[str, object]


@dataclass
class LanguageServer:
    """A session with the server for the files of one folder."""

    folder: Path
    sent: IO[bytes]
    received: IO[bytes]
    settings: Mapping[str, Message]
    """By section, as an editor has them."""
    number: int = 0
    opened: set[Path] = field(default_factory=set)
    diagnosed: dict[str, Sequence[Message]] = field(default_factory=dict)

    def completions(self, path: Path, marked: str) -> dict[str, str]:
        """The labels offered at the `▮` of a text, each with what is inserted."""
        return {str(one["label"]): _inserted(one) for one in self._completed(path, marked)}

    def documentation(self, path: Path, marked: str, label: str) -> str:
        """What the server says beside one of the completions."""
        said = next(one for one in self._completed(path, marked) if one["label"] == label)
        return _text(said.get("documentation", ""))

    def hover(self, path: Path, marked: str) -> str:
        """What is shown for the word at the `▮`."""
        place = self._open(path, marked)
        found = cast(Message | None, self._ask("textDocument/hover", place))
        return _text(found["contents"]) if found else ""

    def mistakes(self, path: Path, text: str) -> list[str]:
        """The messages shown in a file."""
        assert path not in self.opened, "what is said of an earlier text would count"
        self._open(path, text)
        while path.as_uri() not in self.diagnosed:
            self._take(_read(self.received))
        return [f"{_line(one)}: {one['message']}" for one in self.diagnosed[path.as_uri()]]

    def _completed(self, path: Path, marked: str) -> Sequence[Message]:
        found = self._ask("textDocument/completion", self._open(path, marked))
        return cast(Sequence[Message], found["items"] if isinstance(found, dict) else found)

    def _open(self, path: Path, marked: str) -> dict[str, object]:
        """Shows a text to the server, and returns the place of its `▮`."""
        before, _, after = marked.partition("▮")
        document = {"uri": path.as_uri(), "version": self.number + 1, "languageId": "yaml", "text": before + after}
        if path in self.opened:
            change = {"textDocument": document, "contentChanges": [{"text": before + after}]}
            self._tell("textDocument/didChange", change)
        else:
            self.opened.add(path)
            self._tell("textDocument/didOpen", {"textDocument": document})
        line = before.count("\n")
        position = {"line": line, "character": len(before) - (before.rfind("\n") + 1)}
        return {"textDocument": {"uri": path.as_uri()}, "position": position}

    def start(self) -> None:
        capabilities = {
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]},
            }
        }
        folder = {"uri": self.folder.as_uri(), "name": "project"}
        asked = {"processId": None, "rootUri": folder["uri"], "workspaceFolders": [folder]}
        self._ask("initialize", {**asked, "capabilities": capabilities})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": self.settings})

    def _tell(self, method: str, params: Message) -> None:
        self._send({"method": method, "params": params})

    def _ask(self, method: str, params: Message) -> object:
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        while True:
            message = _read(self.received)
            if message.get("id") == self.number and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]
            self._take(message)

    def _take(self, message: Message) -> None:
        """Keeps diagnostics, and answers the server's own questions with nothing."""
        if message.get("method") == "textDocument/publishDiagnostics":
            params = cast(Message, message["params"])
            self.diagnosed[str(params["uri"])] = cast(Sequence[Message], params["diagnostics"])
        elif "id" in message and "method" in message:
            self._send({"id": message["id"], "result": self._answer(message)})

    def _answer(self, message: Message) -> object:
        if message["method"] != "workspace/configuration":
            return None
        items = cast(Sequence[Message], cast(Message, message["params"])["items"])
        return [self.settings.get(str(one["section"]), {}) for one in items]

    def _send(self, message: Message) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.sent.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self.sent.flush()


@contextmanager
def language_server(program: Path, folder: Path, schemas: Mapping[str, object]) -> Iterator[LanguageServer]:
    """Starts the server for a folder, with the schemas that an editor's settings name."""
    process = subprocess.Popen(
        ["node", str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder
    )
    assert process.stdin
    assert process.stdout
    try:
        settings = {"yaml": {"schemaStore": {"enable": False}, "schemas": schemas}}
        server = LanguageServer(folder=folder, sent=process.stdin, received=process.stdout, settings=settings)
        server.start()
        yield server
    finally:
        process.kill()
        process.wait()


def _read(stream: IO[bytes]) -> Message:
    length = 0
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    assert length, "the language server ended"
    return cast(Message, json.loads(stream.read(length)))


def _inserted(one: Message) -> str:
    edit = cast(Message, one.get("textEdit", {}))
    return str(edit.get("newText", one.get("insertText", one["label"])))


def _text(said: object) -> str:
    return str(said["value"]) if isinstance(said, dict) else str(said)


def _line(one: Message) -> int:
    start = cast(Message, cast(Message, one["range"])["start"])
    return cast(int, start["line"]) + 1
