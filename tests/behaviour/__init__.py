"""The shipped Lead and Account mappings, by the rows of docs/behaviour.md."""
