"""The errors of an org, and the fault plan that injects them.

Imported by: local_org/records, local_org/soql, local_org/calls, local_org/soap, local_org/rest,
local_org/bulk, local_org/pages, local_org.
"""
