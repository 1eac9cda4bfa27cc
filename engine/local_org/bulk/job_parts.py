"""Reads a multipart request, which creates a job and uploads its data at once."""

from email.message import Message

from sfmap.engine.local_org.bulk.job_json import invalid_job


def read_parts(content_type: str, body: bytes) -> tuple[bytes, bytes]:
    """The parts `job` and `content`. Raises `Fault`."""
    boundary = _parsed("Content-Type", content_type).get_param("boundary")
    if not isinstance(boundary, str):
        raise invalid_job("The multipart request names no boundary")
    parts = dict(map(_part, (b"\r\n" + body).split(f"\r\n--{boundary}".encode())[1:-1]))
    if "job" not in parts or "content" not in parts:
        raise invalid_job("A multipart request has the parts job and content")
    return parts["job"], parts["content"]


def _part(part: bytes) -> tuple[str, bytes]:
    """The name of a part, and what it contains."""
    head, _, content = part.partition(b"\r\n\r\n")
    for line in head.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            found = _parsed("Content-Disposition", value).get_param("name", header="Content-Disposition")
            return str(found), content
    return "", content


def _parsed(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.strip()
    return message
