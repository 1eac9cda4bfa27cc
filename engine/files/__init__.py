"""Files on disk: private ones, and the output files of a run.

Imported by: journal, delivery, local_org/records, local_org, wiring, planning, inspect, migrate, workbench,
api, commands.
"""
