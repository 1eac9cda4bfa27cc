"""The local org: records, queries, faults, pages and hostile requests, as raw SOAP and HTTP."""
