"""The standard objects as data: fields, types, lengths, flags and picklists, from a plain org's describe."""
