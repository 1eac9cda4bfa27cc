"""Which traits arrive, and which rules read them.

Imported by: inspect, suggest, workbench, commands.
"""
