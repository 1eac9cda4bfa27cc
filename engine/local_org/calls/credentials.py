"""The local org's fixed development credentials. They are not secret: it serves test data on loopback."""

USERNAME = "developer@local.sfmap.test"
PASSWORD = "local-password"  # noqa: S105
SECURITY_TOKEN = "localtoken"  # noqa: S105
CLIENT_ID = "local-client"
CLIENT_SECRET = "local-client-secret"  # noqa: S105
REFRESH_TOKEN = "local-refresh-token"  # noqa: S105
KEY_FILE = "development_key.pem"
"""The private key for the JWT flow, in this module's folder."""
