"""What delivery needs from an org, and what its described fields accept.

Imported by: org/soap, org/bulk, delivery, workers, project, wiring, planning, inspect, suggest, serve, workbench,
backfill, api.
"""
