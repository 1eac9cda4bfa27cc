"""Clients that others wrote for Salesforce, unmodified, with the local org: those that need little."""
