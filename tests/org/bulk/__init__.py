"""An org's bulk jobs: rows, CSV, results, and requests over REST."""
