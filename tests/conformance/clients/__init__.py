"""Clients that need environments of their own: `make clients` runs these files, `make test` does not."""
