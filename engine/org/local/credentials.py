"""The local org's fixed development credentials; no secret: it listens on loopback and holds test data."""

USERNAME = "developer@local.sfmap.test"
PASSWORD = "local-password"  # noqa: S105
SECURITY_TOKEN = "localtoken"  # noqa: S105
