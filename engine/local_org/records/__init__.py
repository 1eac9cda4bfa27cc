"""Records in SQLite, and the rules that they are checked by.

Imported by: local_org/soql, local_org/calls, local_org/soap, local_org/rest, local_org/bulk, local_org/pages,
local_org, inspect.
"""
