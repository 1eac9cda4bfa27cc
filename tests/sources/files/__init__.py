"""The events of files as a whole: shapes and stores that give the same."""
