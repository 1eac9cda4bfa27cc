"""The local org's fixed development credentials. They are not secret: it serves test data on loopback."""

USERNAME = "developer@local.sfmap.test"
FIRST_NAME = "Local"
LAST_NAME = "Developer"
FULL_NAME = f"{FIRST_NAME} {LAST_NAME}"
NICKNAME = "local"
PASSWORD = "local-password"  # noqa: S105
SECURITY_TOKEN = "localtoken"  # noqa: S105
CLIENT_ID = "local-client"
CLI_CLIENT_ID = "PlatformCLI"
"""The app of Salesforce's own command line, which has no secret."""
CLIENT_SECRET = "local-client-secret"  # noqa: S105
APPS = {CLIENT_ID: CLIENT_SECRET, CLI_CLIENT_ID: ""}
"""The secrets of the connected apps by client id."""
REFRESH_TOKEN = "local-refresh-token"  # noqa: S105
KEY_FILE = "development_key.pem"
"""The private key for the JWT flow, in this module's folder."""
