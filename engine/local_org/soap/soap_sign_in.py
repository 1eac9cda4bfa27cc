"""Signs in and out over SOAP, and tells who is signed in."""

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.api_versions import LAST_VERSION_WITH_LOGIN, version_number
from sfmap.engine.local_org.calls.sessions import ORGANIZATION_ID, SESSION_SECONDS, USER_ID, ApiSessions
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.currencies import MANY, USUAL_CURRENCY
from sfmap.engine.local_org.records.features import PERSONS
from sfmap.engine.local_org.records.ids import new_id
from sfmap.engine.local_org.records.object_schema import Schema
from sfmap.engine.local_org.soap.envelope import SoapRequest, element
from sfmap.engine.local_org.soap.soap_call import SoapCall

_WRONG = "Invalid username, password, security token; or user locked out."

_CHATTER_EXTERNAL_SINCE = 48
"""The version from which on the user information has this member."""


def log_in(request: SoapRequest, sessions: ApiSessions, *, base_url: str, version: str, schema: Schema) -> str:
    """Raises `Fault`."""
    number = version_number(version)
    if number > LAST_VERSION_WITH_LOGIN:
        raise unexpected("INVALID_OPERATION", f"SOAP API login() is not available in API version {version}")
    username, password = (request.text(name) for name in ("username", "password"))
    known = username.casefold() == credentials.USERNAME
    if known and password == credentials.PASSWORD:
        raise Fault("LOGIN_MUST_USE_SECURITY_TOKEN", _WRONG, "LoginFault")
    if not known or password != credentials.PASSWORD + credentials.SECURITY_TOKEN:
        raise Fault("INVALID_LOGIN", _WRONG, "LoginFault")
    session = sessions.open("login")
    url = f"{base_url}/services/Soap/u/{version}/{ORGANIZATION_ID[:15]}"
    return (
        f"<result>{element('metadataServerUrl', url.replace('/u/', '/m/'))}"
        f"<passwordExpired>false</passwordExpired><sandbox>true</sandbox>{element('serverUrl', url)}"
        f"{element('sessionId', session.id)}{element('userId', USER_ID)}"
        f"<userInfo>{_user_info(schema, number)}</userInfo></result>"
    )


def log_out(call: SoapCall) -> str:
    call.sessions.close(call.session.id)
    return ""


def get_user_info(call: SoapCall) -> str:
    return f"<result>{_user_info(call.schema, call.version)}</result>"


def _user_info(schema: Schema, version: int) -> str:
    """The user information, in the API's order."""
    currency = schema.currency
    has_many = currency == MANY
    facts: dict[str, object] = {
        "accessibilityMode": False,
        **({"chatterExternal": False} if version >= _CHATTER_EXTERNAL_SINCE else {}),
        "currencySymbol": None if has_many else "$" if currency == USUAL_CURRENCY else currency,
        "orgAttachmentFileSizeLimit": 5_242_880,
        "orgDefaultCurrencyIsoCode": None if has_many else currency,
        "orgDefaultCurrencyLocale": None if has_many else "en_US",
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": PERSONS in schema.features,
        "organizationId": ORGANIZATION_ID,
        "organizationMultiCurrency": has_many,
        "organizationName": "Local org",
        "profileId": new_id("00e", 1),
        "roleId": None,
        "sessionSecondsValid": SESSION_SECONDS,
        "userDefaultCurrencyIsoCode": USUAL_CURRENCY if has_many else None,
        "userEmail": credentials.USERNAME,
        "userFullName": credentials.FULL_NAME,
        "userId": USER_ID,
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": credentials.USERNAME,
        "userTimeZone": "UTC",
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }
    return "".join(element(name, value) for name, value in facts.items())
