"""The resources of the REST API by their paths, and the dispatch of a call to its resource."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from starlette.responses import Response
from starlette.routing import compile_path

from sfmap.engine.local_org.calls.api_versions import version_number
from sfmap.engine.local_org.calls.http_requests import LARGEST_REQUEST
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.rest.rest_call import RestCall, refused_call

VERSION_ROOT = "/services/data/v{version}"


@dataclass(frozen=True, kw_only=True)
class RestResource:
    """What answers some methods of a path. A resource with several operations has an entry for each."""

    path: str
    """A template such as `/sobjects/{object}` or `/sobjects/{object}/{key}/{value:path}`, below `root`."""
    methods: tuple[str, ...] = ("GET",)
    resource: Callable[[RestCall], Response]
    operation: str
    """What fault plans call it."""
    operations: Mapping[bytes, str] = field(default_factory=dict)
    """Other operations, by a text that the body then contains."""
    root: str = VERSION_ROOT
    since: int = 0
    """The first version that has it."""
    largest: int = LARGEST_REQUEST
    """The size of its largest request in bytes."""
    refused: Callable[[Fault, str], Response] = refused_call
    """Answers a fault, in the form that suits the content type of the request."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches paths with and without a slash at the end."""
        regex, _, _ = compile_path(f"{self.root}{self.path}")
        return re.compile(f"{regex.pattern.removesuffix('$')}/?$")

    def operation_of(self, body: bytes) -> str:
        """What fault plans call a request with this body."""
        return next((one for text, one in self.operations.items() if text in body), self.operation)

    def params(self, path: str) -> dict[str, str] | None:
        """The parts of the path that the template names; None if it is another's path."""
        found = self.pattern.match(path)
        return found.groupdict() if found else None


class RestRouter:
    """Finds the resource of a call; the first that matches the path and the method is the one."""

    def __init__(self, resources: Sequence[RestResource]) -> None:
        self._resources = resources

    def find(self, method: str, path: str) -> tuple[RestResource, Mapping[str, str]]:
        """The resource, and the named parts of the path. Raises `Fault`."""
        wanted = "GET" if method == "HEAD" else method
        allowed: list[str] = []
        for resource in self._resources:
            params = resource.params(path)
            if params is None:
                continue
            if wanted in resource.methods:
                return resource, params
            allowed += resource.methods
        if allowed:
            message = f"HTTP Method '{method[:20]}' not allowed. Allowed are {','.join(dict.fromkeys(allowed))}"
            raise unexpected("METHOD_NOT_ALLOWED", message)
        raise _no_such_resource()

    def answer(self, call: RestCall) -> Response:
        """The response of the call's resource. Raises `Fault`."""
        resource, params = self.find(call.method, call.path)
        version = params.get("version", "")
        if "version" in params:
            try:
                number = version_number(version)
            except Fault:
                raise _no_such_resource() from None
            if number < resource.since:
                raise _no_such_resource()
        return resource.resource(replace(call, version=version, params=params))


def _no_such_resource() -> Fault:
    return unexpected("NOT_FOUND", "The requested resource does not exist")
