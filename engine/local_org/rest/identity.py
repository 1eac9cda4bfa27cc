"""Who is signed in: the identity URL, and the user information of OpenID Connect."""

from urllib.parse import parse_qsl, urlencode

from starlette.responses import JSONResponse, PlainTextResponse, Response

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.sessions import ORGANIZATION_ID, USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.rest.rest_call import RestCall, refused_call

FRONT_DOOR = "/secur/frontdoor.jsp"
_ANY_VERSION = "{version}"
_URLS = {
    "enterprise": "/services/Soap/c/{v}/{org}",
    "metadata": "/services/Soap/m/{v}/{org}",
    "partner": "/services/Soap/u/{v}/{org}",
    "rest": "/services/data/v{v}/",
    "sobjects": "/services/data/v{v}/sobjects/",
    "search": "/services/data/v{v}/search/",
    "query": "/services/data/v{v}/query/",
    "recent": "/services/data/v{v}/recent/",
    "tooling_soap": "/services/Soap/T/{v}/{org}",
    "tooling_rest": "/services/data/v{v}/tooling/",
    "profile": "/{user}",
    "feeds": "/services/data/v{v}/chatter/feeds",
    "groups": "/services/data/v{v}/chatter/groups",
    "users": "/services/data/v{v}/chatter/users",
    "feed_items": "/services/data/v{v}/chatter/feed-items",
    "feed_elements": "/services/data/v{v}/chatter/feed-elements",
    "custom_domain": "",
}
_SINCE = "2026-01-01T00:00:00Z"


def identity_url(base_url: str) -> str:
    return f"{base_url}/id/{ORGANIZATION_ID}/{USER_ID}"


def identity(call: RestCall) -> Response:
    """What the identity URL says about the user."""
    if (full_id(call.params["org"]), full_id(call.params["user"])) != (ORGANIZATION_ID, USER_ID):
        return PlainTextResponse("Bad_Id", 404)
    version = call.query.get("version", _ANY_VERSION)
    photos = {"picture": f"{call.base_url}/profilephoto/005/F", "thumbnail": f"{call.base_url}/profilephoto/005/T"}
    return JSONResponse(
        {
            "id": identity_url(call.base_url),
            "asserted_user": True,
            "user_id": USER_ID,
            "organization_id": ORGANIZATION_ID,
            "username": credentials.USERNAME,
            "nick_name": credentials.NICKNAME,
            "display_name": credentials.FULL_NAME,
            "email": credentials.USERNAME,
            "email_verified": True,
            "first_name": credentials.FIRST_NAME,
            "last_name": credentials.LAST_NAME,
            "timezone": "UTC",
            "photos": photos,
            **dict.fromkeys(("addr_street", "addr_city", "addr_state", "addr_country", "addr_zip")),
            "mobile_phone": None,
            "mobile_phone_verified": False,
            "is_lightning_login_user": False,
            "status": {"created_date": None, "body": None},
            "urls": _urls(call.base_url, version),
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "last_modified_date": _SINCE,
            "is_app_installed": True,
        }
    )


def user_info(call: RestCall) -> Response:
    """The claims of the OpenID Connect endpoint."""
    picture = f"{call.base_url}/profilephoto/005"
    return JSONResponse(
        {
            "sub": identity_url(call.base_url),
            "user_id": USER_ID,
            "organization_id": ORGANIZATION_ID,
            "preferred_username": credentials.USERNAME,
            "nickname": credentials.NICKNAME,
            "name": credentials.FULL_NAME,
            "email": credentials.USERNAME,
            "email_verified": True,
            "given_name": credentials.FIRST_NAME,
            "family_name": credentials.LAST_NAME,
            "zoneinfo": "UTC",
            "photos": {"picture": f"{picture}/F", "thumbnail": f"{picture}/T"},
            "profile": f"{call.base_url}/{USER_ID}",
            "picture": f"{picture}/F",
            "address": {},
            "is_salesforce_integration_user": False,
            "urls": _urls(call.base_url, _ANY_VERSION),
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "updated_at": _SINCE,
            "is_app_installed": True,
        }
    )


def front_door(call: RestCall) -> Response:
    """A URL that opens the org in a browser; the local org's pages need no session."""
    wanted = call.query.get("redirect_uri") or dict(parse_qsl(call.body.decode("utf-8", "replace"))).get(
        "redirect_uri"
    )
    target = {"startURL": wanted} if wanted else {}
    return JSONResponse({"frontdoor_uri": f"{call.base_url}{FRONT_DOOR}?{urlencode(target)}".rstrip("?")})


def refused(fault: Fault, content_type: str) -> Response:
    """The answer to a call that is refused: without a session it is a text, unlike that of other resources."""
    if fault.code == "INVALID_SESSION_ID":
        return PlainTextResponse("Bad_OAuth_Token", 403)
    return refused_call(fault, content_type)


def _urls(base_url: str, version: str) -> dict[str, str]:
    return {
        name: base_url + path.format(v=version, org=ORGANIZATION_ID[:15], user=USER_ID)
        for name, path in _URLS.items()
    }
