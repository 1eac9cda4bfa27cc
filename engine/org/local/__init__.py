"""The local org: a separate server that implements Salesforce's partner SOAP API over loopback HTTP."""
