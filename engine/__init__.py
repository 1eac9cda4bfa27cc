"""The rooms of the engine, each with what it is and, after the arrow, the rooms that it imports.

A test holds these arrows. Data flows down this list: a room is imported only by rooms below it.

errors             every expected failure, in one tree; every room may import it
messages           counts with their nouns, and commands to paste; every room may import it
files              files on disk: private ones, and the output files of a run
yaml_files         YAML text as nodes with positions, tables of known keys, and diagnostics
language           the mapping language: YAML nodes → Mapping
                   ← yaml_files
mapping/values     events, the values of fields, and records
                   ← language
mapping/filters    the named filters of pipes and templates
                   ← language, mapping/values
mapping/run        event → records
                   ← yaml_files, language, mapping/values, mapping/filters
mapping/compile    Mapping → functions
                   ← yaml_files, language, mapping/values, mapping/filters, mapping/run
org                what delivery needs from an org, and what its described fields accept
                   ← yaml_files, language, mapping/values
org/soap           an org over the partner SOAP API
                   ← mapping/values, org
org/bulk           the bulk jobs of an org, over Bulk API 2.0
                   ← mapping/values, org, org/soap
sources            where events come from
                   ← mapping/values
sources/stores     where files are: their names, versions and bytes
                   ← sources
sources/formats    from the bytes of a file to its rows
                   ← mapping/values, sources
sources/shapes     from the rows of a table to events
                   ← language, mapping/values
sources/queries    the rows of a database, page by page
                   ← mapping/values, sources
sources/kafka      the topics of Kafka: groups that read them, and producers
                   ← mapping/values, sources
sources/files      the events of files, wherever they are
                   ← mapping/values, sources, sources/formats, sources/shapes
journal            what has happened, kept on disk
                   ← files, sources
journal/shared     a journal and a spool in PostgreSQL, which several machines share
                   ← sources/queries, journal
delivery           records → outcomes
                   ← files, yaml_files, language, mapping/values, mapping/run, org, sources,
                     journal
workers            the partitions of a topic, each delivered by one worker at a time
                   ← mapping/run, org, sources, sources/kafka, journal, delivery
project            sfmap.yaml: mappings, settings, orgs, sources and secrets
                   ← yaml_files, language, mapping/values, mapping/run, mapping/compile, org,
                     org/soap, sources/formats, sources/shapes
http               what the HTTP servers share
local_org/faults   the errors of an org, and the fault plan that injects them
                   ← yaml_files, http
local_org/records  records in SQLite, and the rules that they are checked by
                   ← files, yaml_files, local_org/faults
local_org/soql     queries: from text to SQL
                   ← local_org/faults, local_org/records
local_org/calls    sessions, and calls one at a time
                   ← local_org/faults, local_org/records, local_org/soql
local_org/soap     the partner SOAP API
                   ← http, local_org/faults, local_org/records, local_org/soql, local_org/calls
local_org/rest     the REST API, and its sign-in
                   ← http, local_org/faults, local_org/records, local_org/soql, local_org/calls
local_org/bulk     jobs of the Bulk APIs, processed in the background
                   ← local_org/faults, local_org/records, local_org/soql, local_org/calls,
                     local_org/rest
local_org/pages    pages with the records and the calls
                   ← http, local_org/faults, local_org/records, local_org/calls, local_org/bulk
local_org          a Salesforce on loopback, for development and tests
                   ← files, yaml_files, http, local_org/faults, local_org/records, local_org/calls,
                     local_org/soap, local_org/rest, local_org/bulk, local_org/pages
wiring             connects ports and adapters
                   ← files, mapping/values, mapping/run, org, org/soap, org/bulk, sources,
                     sources/stores, sources/formats, sources/shapes, sources/queries, sources/kafka,
                     sources/files, journal, journal/shared, delivery, project, local_org
planning           what a run would change: it is delivered to a stand-in for the org, which writes nothing
                   ← files, yaml_files, mapping/values, org, journal, delivery
inspect/traits     which traits arrive, and which rules read them
                   ← yaml_files, mapping/values, mapping/run, mapping/compile
inspect            what a person asks of a mapping
                   ← files, yaml_files, language, mapping/values, mapping/run, mapping/compile,
                     org, org/soap, sources, sources/kafka, sources/files, delivery, project,
                     local_org/records, wiring, inspect/traits
migrate            projects made from the settings of other products
                   ← files, mapping/values
suggest            drafts of mappings, from traits and the fields that an org describes
                   ← language, mapping/values, org, inspect/traits
testing            sample events as snapshot tests
                   ← mapping/values, mapping/run, sources, project, inspect
serve              events over HTTP, delivered in the background
                   ← yaml_files, mapping/values, mapping/run, org, sources, sources/kafka, journal,
                     delivery, project, http, local_org, wiring, inspect
workbench          mappings edited in a browser, with the records that they make of samples
                   ← files, yaml_files, language, mapping/values, mapping/filters, mapping/run,
                     org, sources, journal, project, http, inspect/traits, inspect, testing
backfill           years of events as records, on Spark
                   ← mapping/values, mapping/run, org, sources, sources/formats, sources/files,
                     delivery, project, wiring
api                what Python programs import, and what the commands are written on
                   ← files, yaml_files, language, mapping/values, mapping/run, org, sources,
                     sources/stores, sources/kafka, journal, delivery, workers, project, local_org,
                     wiring, planning, inspect
commands           the command line
                   ← files, yaml_files, language, mapping/values, sources, sources/stores,
                     sources/formats, journal, delivery, project, http, local_org, wiring,
                     inspect/traits, inspect, migrate, suggest, testing, serve, workbench,
                     backfill, api
"""
