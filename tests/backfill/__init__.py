"""Back-fills: splits, folding without the org, and records and their delivery; on Spark by `make scale`."""
