"""The local org: a server of its own that speaks Salesforce's partner SOAP API over loopback HTTP."""
