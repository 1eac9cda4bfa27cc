"""Runs a node that only accepts: the Tracking API in front of a topic, without a journal and without an org."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial

from sfmap.engine.delivery.partitioning import dependences
from sfmap.engine.http.address import listen
from sfmap.engine.http.server import end_on_signals
from sfmap.engine.messages.hints import command_line
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.serve.configuration import Configuration, configure, reconfigure
from sfmap.engine.serve.log import ForwardingHandler, Log
from sfmap.engine.serve.service import RELOAD, ServeOptions, ignore_signals, say_mistake, servers, serving
from sfmap.engine.serve.topic_acceptance import TopicAcceptance, TopicMetrics
from sfmap.engine.serve.tracking_api import TrackingApi
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.sources.kafka.topic_description import TopicDescriber
from sfmap.engine.sources.kafka.topic_producer import TopicProducer


def serve_to_topic(project: ProjectFile, topic: Topic, options: ServeOptions, log: Log) -> None:
    """Serves until a signal arrives. Call it from the main thread.

    Raises `CannotServe`, `SecretMissing`, `NoSuchOrg`, `Mistakes`, `CannotRead`, `SourceFailed` or `ExtraMissing`.
    """
    ignore_signals()
    host = options.events.host
    configuration = configure(project, options.used, host, _no_lease)
    events_at = listen(host, options.events.port)
    operators_at = listen(options.operators.host, options.operators.port) if options.operators else None
    _warn_of_partitions(topic, configuration, log)
    producer = TopicProducer(topic.settings)
    acceptance = TopicAcceptance(producer, configuration.mapper)
    api = TrackingApi(
        acceptance=acceptance,
        access=configuration.access,
        metrics=TopicMetrics(producer, topic.settings.topic),
        log=log,
        is_delivering=lambda: True,
    )
    events, operators = servers(api.routes(), api.routes_for_operators(), options, (events_at, operators_at))

    def read_again() -> None:
        found = reconfigure(project, options.used, host, _no_lease, log)
        if found:
            api.access, acceptance.mapper = found.access, found.mapper
            log("info", "Reloaded the project: mappings, sources and keys.")

    actions: Mapping[signal.Signals, Callable[[], object]] = {RELOAD: read_again} if RELOAD else {}
    logging.getLogger("uvicorn").addHandler(ForwardingHandler(log))
    threading.excepthook = partial(say_mistake, log)
    events.stop_on_signals()  # before anyone can see that the service runs
    acceptance.start()
    delivered_by = command_line("run", "--source", topic.name, *project.org_option(options.used.org))
    try:
        log(
            "info",
            f"Events go to the topic {topic.settings.topic}, which is delivered by: {delivered_by}",
        )
        asyncio.run(serving(events, operators, actions, log))
        ignore_signals()
        end_on_signals()  # a second signal ends it at once
    finally:
        acceptance.stop()


def _warn_of_partitions(topic: Topic, configuration: Configuration, log: Log) -> None:
    """Says if workers will refuse the topic. Raises `SourceFailed` if the brokers cannot be asked about it."""
    count = TopicDescriber(topic.settings).describe().partitions
    if count > 1 and dependences(configuration.mapper.mappings) and not topic.may_be_relaxed:
        command = command_line("check", "--source", topic.name)
        log("warning", f"The topic has more partitions than are safe. Why, says: {command}")


def _no_lease() -> None:
    """Nothing is delivered here."""
