"""Says in one sentence why an object store refused a request: its library tells it in a page of debug output."""

import re
from enum import Enum

_CODE = re.compile(r"<Code>([\w.]+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_REGION = re.compile(r"<Region>([\w-]+)</Region>")
_HOST = re.compile(r"https?://([^/\s?,]+)")
_REASON = re.compile(r'(?:message|error): "(?:failed to lookup address information: )?([^"\\]+)"')

_SAID = {
    "NoSuchBucket": "there is no such bucket",
    "ContainerNotFound": "there is no such container",
    "InvalidBucketName": "that cannot be the name of a bucket",
    "InvalidAccessKeyId": "the store does not know the access key id",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key id",
    "ExpiredToken": "the session token has expired",
    "InvalidToken": "the session token is wrong",
    "InvalidObjectState": "the object is archived: restore it first",
    "BlobArchived": "the object is archived: restore it first",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "AuthenticationFailed": "the account key or SAS token is wrong",
    "AuthorizationFailure": "access denied: the account key is wrong, or the account refuses this network",
    "AccountIsDisabled": "the account is disabled",
    "SlowDown": "the store is too busy",
    "ServerBusy": "the store is too busy",
}
_REGION_CODES = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_WITHOUT_ANSWER = (
    ("Invalid Access Key", "the account key is not a key: it is not base64"),
    ("contained empty path segment", "a name with an empty folder (//) cannot be read"),
    ("illegal character sequence", "a name with a folder of dots cannot be read"),
    ("Unable to open service account file", "the file of the service account cannot be opened"),
    ("service account file", "that is no key of a Google service account"),
    ("pem file", "the private key of the service account cannot be read"),
    ("token request", "the sign-in for the key failed"),
    ("TimedOut", "the store did not answer in time"),
)


class Action(Enum):
    """What was asked of the store."""

    LIST = "list"
    GET = "get"


_DENIED = {
    ("s3", Action.LIST): "access denied for ListBucket; the key needs s3:ListBucket and s3:GetObject",
    ("s3", Action.GET): "access denied for GetObject; the key needs s3:ListBucket and s3:GetObject",
    ("gs", Action.LIST): "access denied for storage.objects.list; the key needs the role Storage Object Viewer",
    ("gs", Action.GET): "access denied for storage.objects.get; the key needs the role Storage Object Viewer",
    ("az", Action.LIST): "access denied; the key needs the role Storage Blob Data Reader",
    ("az", Action.GET): "access denied; the key needs the role Storage Blob Data Reader",
}


def why(error: Exception, scheme: str, action: Action, region: str) -> str:
    """The reason, without addresses, keys or signatures."""
    text = str(error)
    code, status = _found(_CODE, text), _found(_STATUS, text)
    if code in _SAID:
        return _SAID[code]
    if code in _REGION_CODES or status == "301" or "redirect without LOCATION" in text:
        return _wrong_region(text, region)
    if status in ("401", "403"):
        return _DENIED[scheme, action]
    if status == "404":
        return _SAID["ContainerNotFound" if scheme == "az" else "NoSuchBucket"]
    if status:
        return f"the store answered {status} {code.removeprefix(status)}".rstrip()
    for sign, said in _WITHOUT_ANSWER:
        if sign in text:
            return said
    return _unreachable(text)


def _wrong_region(text: str, region: str) -> str:
    right = _found(_REGION, text)
    where = f"the region {right}" if right else "another region"
    said = region or "us-east-1"
    return f"the bucket is in {where}, not in {said}: set AWS_REGION, or region below store: in sfmap.yaml"


def _unreachable(text: str) -> str:
    host, reason = _found(_HOST, text), _found(_REASON, text)
    where = f"cannot reach {host}" if host else "the connection failed"
    return f"{where}: {reason}" if reason else where


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
