"""Where files are: folders, object stores and the web, as real servers."""
