"""From events to records: sources, filters, templates, values, and properties of any event."""
