"""What delivery needs from an org: lookup queries, and in `soap` the adapter."""
