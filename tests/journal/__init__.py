"""What is kept on disk: the journal, the spool, and dead letters by organization."""
