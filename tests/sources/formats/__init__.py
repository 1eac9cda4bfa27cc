"""From bytes to rows: what a file is, compression, and each format."""
