"""Events, the values of fields, and records.

<<<<<<< HEAD
Imported by: mapping/filters, mapping/run, mapping/compile, org, org/soap, sources, sources/shapes,
sources/queries, sources/files, delivery, project, inspect, testing, serve, api, commands.
=======
Imported by: mapping/filters, mapping/run, mapping/compile, org, org/soap, sources, sources/shapes,
sources/queries, sources/files, delivery, project, inspect, testing, serve, api, commands.
>>>>>>> 6914a5c (Read events of files by their content, and of sources in sfmap.yaml)
"""
