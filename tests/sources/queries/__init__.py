"""The rows of databases: pages, late rows, kills, types."""
