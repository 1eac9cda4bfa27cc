"""How an object store is reached: by what sfmap.yaml says, else by the usual variables of the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sfmap.engine.sources.event_source import SourceFailed

_VARIABLES = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "access_key_id": ("AWS_ACCESS_KEY_ID",),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
    "account_name": ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"),
    "account_key": ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"),
    "sas_token": ("AZURE_STORAGE_SAS_TOKEN",),
    "service_account": ("GOOGLE_APPLICATION_CREDENTIALS",),
    "service_account_key": ("GOOGLE_SERVICE_ACCOUNT_KEY",),
}
_ENDPOINTS = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")}
_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
_IN_CONNECTION = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "SharedAccessSignature": "sas_token",
    "BlobEndpoint": "endpoint",
}
_KEYS = {
    "s3": ("access_key_id", "secret_access_key", "session_token"),
    "gs": ("service_account", "service_account_key"),
    "az": ("account_key", "sas_token"),
}
"""What gives access; the variables of the environment are left aside where sfmap.yaml gives any of them."""


class Credentials(StrEnum):
    """Where access comes from."""

    KEYS = ""
    """The keys of the settings or the environment."""
    INSTANCE = "instance"
    """The machine on which sfmap runs: its metadata address or its role is asked for short-lived keys."""
    ANONYMOUS = "anonymous"
    """Nowhere: the bucket is public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStoreSettings:
    """How an object store is reached."""

    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    account_name: str = ""
    account_key: str = field(default="", repr=False)
    sas_token: str = field(default="", repr=False)
    service_account: str = ""
    """The path of the JSON file of a Google service account."""
    service_account_key: str = field(default="", repr=False)
    """The JSON of a Google service account."""
    credentials: Credentials = Credentials.KEYS

    def completed(self, scheme: str, environment: Mapping[str, str]) -> "ObjectStoreSettings":
        """The settings for `s3`, `gs` or `az`, with what is missing from the environment."""
        offered = {name: _first(environment, names) for name, names in _VARIABLES.items()}
        offered["endpoint"] = _first(environment, _ENDPOINTS.get(scheme, ()))
        if scheme == "az":
            offered |= _of_connection(environment.get(_CONNECTION, ""))
        if self.credentials or any(getattr(self, name) for name in _KEYS[scheme]):
            offered |= dict.fromkeys(_KEYS[scheme], "")
        known = {name: str(getattr(self, name)) or text for name, text in offered.items()}
        return ObjectStoreSettings(**known, credentials=self.credentials)

    def check(self, scheme: str, place: str) -> None:
        """Raises `SourceFailed` if nothing gives access to that place."""
        if scheme == "az" and not self.account_name:
            raise _without(place, "account_name", "AZURE_STORAGE_ACCOUNT")
        if self.credentials:
            return
        if scheme == "s3" and bool(self.access_key_id) != bool(self.secret_access_key):
            missing = "secret_access_key" if self.access_key_id else "access_key_id"
            raise _without(place, missing, _VARIABLES[missing][0])
        if not any(getattr(self, name) for name in _KEYS[scheme]):
            needed = {
                "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                "gs": "GOOGLE_APPLICATION_CREDENTIALS",
                "az": "AZURE_STORAGE_KEY",
            }[scheme]
            raise SourceFailed(
                f"cannot read {place}: there is no key for it;",
                f"set {needed} in the environment or secrets.env, or write credentials: instance"
                " or credentials: anonymous below store: in sfmap.yaml",
            )


def _without(place: str, setting: str, variable: str) -> SourceFailed:
    hint = f"set {variable} in the environment or secrets.env, or {setting} below store: in sfmap.yaml"
    return SourceFailed(f"cannot read {place}: {setting} is missing;", hint)


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")


def _of_connection(text: str) -> dict[str, str]:
    """What an Azure connection string says."""
    parts = (part.partition("=") for part in text.split(";"))
    return {_IN_CONNECTION[name]: value for name, _, value in parts if name in _IN_CONNECTION}
