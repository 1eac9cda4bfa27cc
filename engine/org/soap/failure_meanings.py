"""The tables by which `failures` explains each failure to the user."""

import ssl
from dataclasses import dataclass
from http.client import IncompleteRead, RemoteDisconnected
from socket import gaierror

from requests.exceptions import ConnectTimeout, ContentDecodingError, ProxyError, ReadTimeout, RequestException
from urllib3.exceptions import NewConnectionError

from sfmap.engine.messages.hints import command_line
from sfmap.engine.org.port import (
    CallRefused,
    LimitReached,
    OrgError,
    OrgOutOfReach,
    OrgUnavailable,
    SignInRefused,
    TooManyCalls,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The explanation of one failure; `{host}`, `{user}`, `{operation}` and `{said}` are filled in."""

    error: type[OrgError]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FaultMeaning(Meaning):
    code: str = ""
    words: str = ""
    """Words that the org's message must contain, if one code has two meanings."""
    operation: str = ""
    """The only operation with this meaning, or empty."""


_API_ENABLED = "Setup > Users > Profiles (or Permission Sets) > System Permissions > API Enabled"
_LOGIN_HISTORY = "Setup > Identity > Login History tells why, attempt by attempt."

FAULTS = (
    FaultMeaning(
        SignInRefused,
        "{host} did not let {user} in. A wrong password, a wrong or missing security token and a locked user all "
        "look like this. It was tried only once, since more attempts lock the user.",
        "Check user name and password. If in doubt, get a new token by e-mail: in Salesforce, your picture > "
        "Settings > My Personal Information > Reset My Security Token. A sandbox user's name ends with the "
        "sandbox's name and needs `sandbox: true`. " + _LOGIN_HISTORY,
        code="INVALID_LOGIN",
    ),
    FaultMeaning(
        SignInRefused,
        "{host} wants a security token from {user}, because it does not know this network.",
        "Get a token by e-mail: in Salesforce, your picture > Settings > My Personal Information > Reset My "
        "Security Token, and set `security_token`. Or have an administrator add this network's addresses: "
        "Setup > Security > Network Access.",
        code="LOGIN_MUST_USE_SECURITY_TOKEN",
    ),
    FaultMeaning(
        SignInRefused,
        "{user} is locked out of {host} after too many wrong passwords.",
        "Wait until the lockout ends, or have an administrator unlock the user: Setup > Users > Users > the user "
        "> Unlock. Correct the password or token before you try again.",
        code="PASSWORD_LOCKOUT",
    ),
    FaultMeaning(
        SignInRefused,
        "{host} does not allow signing in by SOAP with a user name and password: {said}",
        "An administrator can allow it: Setup > User Interface > Enable SOAP API login(). It is off in new orgs.",
        code="INVALID_OPERATION",
        operation="login",
    ),
    FaultMeaning(
        SignInRefused,
        "The password of {user} at {host} has expired, so the org only lets the user change it.",
        "Sign in to the org in a browser as that user, set a new password, and put it and the new security token "
        "(it comes by e-mail) into the settings. For integration users: Setup > Users > Profiles > System "
        "Permissions > Password Never Expires.",
        code="INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
    ),
    FaultMeaning(
        SignInRefused,
        "{host} does not let {user} in from this network's address.",
        "Have an administrator add the address to the profile: Setup > Users > Profiles > Login IP Ranges.",
        code="LOGIN_DURING_RESTRICTED_DOMAIN",
    ),
    FaultMeaning(
        SignInRefused,
        "{host} does not let {user} in at this hour.",
        "Run within the profile's hours, or have an administrator widen them: Setup > Users > Profiles > "
        "Login Hours.",
        code="LOGIN_DURING_RESTRICTED_TIME",
    ),
    FaultMeaning(
        SignInRefused,
        "The org at {host} has no API access for {user}: {said}",
        "The org's edition must include the API (Enterprise and above, or Professional with the add-on), and the "
        "user needs the permission: " + _API_ENABLED + ".",
        code="API_DISABLED_FOR_ORG",
    ),
    FaultMeaning(
        OrgUnavailable,
        "The org at {host} has switched off its API for now: {said}",
        "Salesforce does this during maintenance; status.salesforce.com shows how long. Try again later.",
        code="API_CURRENTLY_DISABLED",
    ),
    FaultMeaning(
        SignInRefused,
        "The trial of the org at {host} has ended.",
        "Sign in to the org in a browser to subscribe, or point the settings at another org.",
        code="TRIAL_EXPIRED",
    ),
    FaultMeaning(
        SignInRefused,
        "The org at {host} is locked: {said}",
        "Only Salesforce support can unlock it.",
        code="ORG_LOCKED",
    ),
    FaultMeaning(
        SignInRefused,
        "{host} no longer supports the requested API version: {said}",
        'Set api_version to "64.0".',
        code="UNSUPPORTED_API_VERSION",
    ),
    FaultMeaning(
        SignInRefused,
        "{host} ended a session that {user} had only just opened: {said}",
        "The org may lock sessions to an address or a host: check Setup > Security > Session Settings, and "
        "whether this network's outgoing address changes between calls.",
        code="INVALID_SESSION_ID",
    ),
    FaultMeaning(
        CallRefused,
        "{user} may not do this ({operation}): {said}",
        "Have an administrator give the user access to the object and its fields: Setup > Users > Profiles (or "
        "Permission Sets) > Object Settings; and: " + _API_ENABLED + ".",
        code="INSUFFICIENT_ACCESS",
    ),
    FaultMeaning(
        CallRefused,
        "{user} may not read or change something that this call ({operation}) needs: {said}",
        "Have an administrator give the user access to the object and its fields: Setup > Users > Profiles (or "
        "Permission Sets) > Object Settings.",
        code="INSUFFICIENT_ACCESS_OR_READONLY",
    ),
    FaultMeaning(
        CallRefused,
        "{user} may not use a record that this call ({operation}) refers to: {said}",
        "Have an administrator share that record or its object with the user: Setup > Security > Sharing "
        "Settings.",
        code="INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    ),
    FaultMeaning(
        TooManyCalls,
        "The org at {host} is answering too many long calls at once: {said}",
        "Wait a little; run fewer programs against the org at the same time.",
        code="REQUEST_LIMIT_EXCEEDED",
        words="Concurrent",
    ),
    FaultMeaning(
        LimitReached,
        "The org at {host} has used up its API requests for the last 24 hours: {said}",
        "Run again when calls are available. Setup > Company Settings > Company Information shows the usage "
        "and the limit.",
        code="REQUEST_LIMIT_EXCEEDED",
    ),
    FaultMeaning(
        OrgUnavailable,
        "A server that the org at {host} needs for this call is not available: {said}",
        "Try again in a few minutes; status.salesforce.com reports outages.",
        code="SERVER_UNAVAILABLE",
    ),
    FaultMeaning(
        OrgUnavailable,
        "The org at {host} keeps records of the {operation} call locked: {said}",
        "Another program or a user is writing them; run again when that has ended.",
        code="UNABLE_TO_LOCK_ROW",
    ),
    FaultMeaning(
        OrgUnavailable,
        "{host} failed while signing {user} in: {said}",
        "Try again in a few minutes; status.salesforce.com reports outages.",
        code="UNKNOWN_EXCEPTION",
        operation="login",
    ),
    FaultMeaning(
        CallRefused,
        "The org has no object that {user} can see by this name: {said}",
        "Check the object's API name in Setup > Object Manager (custom ones end with __c) and the user's access.",
        code="INVALID_TYPE",
    ),
    FaultMeaning(
        CallRefused,
        "The org has no field that {user} can see by this name: {said}",
        "Check the field's API name in Setup > Object Manager > the object > Fields & Relationships (custom ones "
        "end with __c), and that the user's profile can see it.",
        code="INVALID_FIELD",
        words="No such column",
    ),
    FaultMeaning(
        CallRefused,
        "The call ({operation}) contained more records than the org takes at once: {said}",
        code="EXCEEDED_ID_LIMIT",
    ),
)

UNKNOWN_SIGN_IN_FAULT = Meaning(SignInRefused, "{host} did not let {user} in, and said: {said}", _LOGIN_HISTORY)
UNKNOWN_FAULT = Meaning(CallRefused, "The org at {host} refused the {operation} call: {said}")

FAULTS_THAT_MAY_HAVE_APPLIED = frozenset({"", "UNKNOWN_EXCEPTION"})
"""After any other fault, the org has certainly not executed the call."""

_PROXY_ADVICE = "A proxy or firewall may be in between: ask the administrator of this network."
_STATUS_PAGE = "Try again in a few minutes; status.salesforce.com reports outages."

STATUSES: dict[int, Meaning] = {
    200: Meaning(
        OrgUnavailable,
        "{host} answered with something that is not the API, such as a web page (HTTP 200, {said}).",
        "Check that login_url is the org's own (https://login.salesforce.com or https://acme.my.salesforce.com). "
        + _PROXY_ADVICE,
    ),
    403: Meaning(
        OrgOutOfReach, "{host} forbids the call before the API sees it (HTTP 403, {said}).", _PROXY_ADVICE
    ),
    404: Meaning(
        OrgOutOfReach,
        "{host} has no API at this address (HTTP 404, {said}).",
        "Check login_url and api_version.",
    ),
    407: Meaning(OrgOutOfReach, "The proxy for {host} requires a sign-in (HTTP 407, {said}).", _PROXY_ADVICE),
    413: Meaning(CallRefused, "{host} refuses the {operation} call as too large (HTTP 413, {said})."),
    429: Meaning(OrgUnavailable, "{host} asks for fewer calls (HTTP 429, {said}).", "Wait, then try again."),
    502: Meaning(OrgUnavailable, "The gateway of {host} got no valid answer (HTTP 502, {said}).", _STATUS_PAGE),
    503: Meaning(OrgUnavailable, "{host} is overloaded or under maintenance (HTTP 503, {said}).", _STATUS_PAGE),
    504: Meaning(OrgUnavailable, "The gateway of {host} timed out (HTTP 504, {said}).", _STATUS_PAGE),
}
REDIRECT = Meaning(
    OrgOutOfReach,
    "{host} redirects the call ({said}), which is not followed since the call contains credentials.",
    "If you trust that address, set login_url to it.",
)
OTHER_STATUS = Meaning(
    OrgUnavailable, "{host} answered with something that is not the API ({said}).", _STATUS_PAGE
)

EXCEPTIONS: tuple[tuple[type[BaseException], Meaning], ...] = (
    (ProxyError, Meaning(OrgOutOfReach, "cannot reach {host}: the proxy did not connect.", _PROXY_ADVICE)),
    (
        ssl.SSLCertVerificationError,
        Meaning(
            OrgOutOfReach,
            "cannot connect to {host}: its TLS certificate is not trusted, so nothing was sent.",
            "Check login_url. If your network inspects traffic, set REQUESTS_CA_BUNDLE to its certificate; for the"
            " local org with --tls, to the authority that sfmap org start names.",
        ),
    ),
    (
        ssl.SSLError,
        Meaning(OrgUnavailable, "cannot connect to {host}: the TLS handshake failed.", _PROXY_ADVICE),
    ),
    (
        ConnectTimeout,
        Meaning(OrgUnavailable, "cannot connect to {host}: no answer in time.", _PROXY_ADVICE),
    ),
    (
        gaierror,
        Meaning(
            OrgUnavailable,
            "cannot connect to {host}: there is no such host name, or this machine cannot look it up.",
            "Check login_url for a typo, and this machine's network.",
        ),
    ),
    (
        ConnectionRefusedError,
        Meaning(
            OrgUnavailable,
            "cannot connect to {host}: connection refused. Nothing is listening there.",
            f"Check host and port of login_url; a local org must be started first: {command_line('org', 'start')}",
        ),
    ),
    (
        NewConnectionError,
        Meaning(OrgUnavailable, "cannot connect to {host}: there is no network route.", _PROXY_ADVICE),
    ),
    (
        ReadTimeout,
        Meaning(OrgUnavailable, "{host} did not answer the {operation} call in time.", _STATUS_PAGE),
    ),
    (
        TimeoutError,
        Meaning(OrgUnavailable, "{host} did not finish its answer to the {operation} call in time.", _STATUS_PAGE),
    ),
    (
        ContentDecodingError,
        Meaning(OrgUnavailable, "{host} answered the {operation} call with something too large or unreadable."),
    ),
    (
        IncompleteRead,
        Meaning(
            OrgUnavailable,
            "{host} closed the connection while answering the {operation} call.",
            _STATUS_PAGE,
        ),
    ),
    (
        RemoteDisconnected,
        Meaning(
            OrgUnavailable, "{host} closed the connection without answering the {operation} call.", _STATUS_PAGE
        ),
    ),
    (
        ConnectionError,
        Meaning(OrgUnavailable, "{host} broke the connection during the {operation} call.", _STATUS_PAGE),
    ),
    (
        RequestException,
        Meaning(OrgUnavailable, "The {operation} call to {host} failed in transit.", _STATUS_PAGE),
    ),
)

UNREADABLE = Meaning(
    OrgUnavailable, "{host} answered the {operation} call with XML that cannot be read ({said}).", _STATUS_PAGE
)
