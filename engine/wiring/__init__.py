"""Connects ports and adapters: opens the orgs and the sources that sfmap.yaml names.

Imported by: inspect, serve, backfill, api, commands.
"""
