"""Where events come from: any line of a file."""
