"""The local org's fixed development credentials; no secret: it listens on loopback and holds test data."""

USERNAME = "developer@local.sfmap.test"
PASSWORD = "local-password"  # noqa: S105
SECURITY_TOKEN = "localtoken"  # noqa: S105
CLIENT_ID = "local-client"
CLIENT_SECRET = "local-client-secret"  # noqa: S105
REFRESH_TOKEN = "local-refresh-token"  # noqa: S105
KEY_FILE = "development_key.pem"
"""Beside this module: the private key that signs for the JWT flow."""
