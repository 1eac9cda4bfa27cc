"""A Salesforce on loopback, for development and tests.

Imported by: wiring, inspect, serve, api, commands.
"""
