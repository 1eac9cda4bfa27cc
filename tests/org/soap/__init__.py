"""An org over the partner SOAP API: calls, failures, sign-in, and where secrets go."""
