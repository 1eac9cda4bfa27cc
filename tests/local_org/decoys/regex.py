"""Must never be imported instead of regex."""

raise SystemExit(9)
