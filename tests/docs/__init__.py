"""The documentation is true: examples, shown output, generated pages, links."""
