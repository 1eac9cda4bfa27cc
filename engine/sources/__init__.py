"""Where events come from.

<<<<<<< HEAD
Imported by: sources/stores, sources/formats, sources/queries, sources/files, journal, delivery, wiring,
inspect, testing, serve, api, commands.
=======
Imported by: sources/stores, sources/formats, sources/queries, sources/files, journal, delivery, wiring,
inspect, testing, serve, api, commands.
>>>>>>> 6914a5c (Read events of files by their content, and of sources in sfmap.yaml)
"""
