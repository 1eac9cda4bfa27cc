"""The events of files, wherever they are.

Imported by: wiring, inspect, backfill.
"""
