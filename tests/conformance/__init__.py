"""The local org under clients that know only Salesforce: jsforce, npm soap, simple-salesforce, zeep."""
