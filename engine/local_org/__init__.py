"""A Salesforce on loopback, for development and tests.

Imported by: wiring, serve, api, commands.
"""
