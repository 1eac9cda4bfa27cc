"""Kafka brokers in a process of their own: the mock cluster of librdkafka, which other processes can use.

It keeps records, groups and their offsets in memory. Commands are lines of JSON on standard input, each answered
by a line: what librdkafka's C interface can do to a cluster, and the Python package does not offer.
"""

import ctypes
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import confluent_kafka

_CLUSTER_TOPICS = 72
_TOPIC_NAME, _TOPIC_PARTITIONS = 16, 72
"""Offsets in librdkafka's structures: a topic cannot be enlarged otherwise."""


@dataclass(frozen=True)
class Brokers:
    """The cluster, as tests use it."""

    process: "subprocess.Popen[str]"
    address: str

    def create(self, topic: str, partitions: int = 1, room: int = 0) -> None:
        """Makes a topic, which can grow later up to the `room`."""
        self._ask("create", topic, max(partitions, room))
        if room > partitions:
            self.grow(topic, partitions)

    def grow(self, topic: str, partitions: int) -> None:
        """Shows so many partitions of a topic."""
        self._ask("show", topic, partitions)

    def delete(self, topic: str) -> None:
        self._ask("delete", topic)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        self._ask("delete_records", topic, partition, before)

    def stop_answering(self) -> None:
        """All brokers close their connections, and take no new ones."""
        self._ask("down")

    def answer(self) -> None:
        self._ask("up")

    def refuse(self, api: int, *errors: int) -> None:
        """Answers the next requests of that API with these errors."""
        self._ask("errors", api, list(errors))

    def _ask(self, *command: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def running_brokers(count: int = 1) -> Iterator[Brokers]:
    command = [sys.executable, __file__, str(count)]
    # The library warns on standard error that the cluster's own client has no brokers.
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        yield Brokers(process, process.stdout.readline().strip())
        process.kill()


class _Library:
    """The C interface of the library that confluent_kafka has loaded."""

    def __init__(self) -> None:
        (path,) = (Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs").glob("librdkafka-*.so*")
        self._library = ctypes.CDLL(str(path))

    def pointer(self, name: str, *arguments: object) -> Any:
        """What a function answers that gives a pointer."""
        function = self._library[name]
        function.restype = ctypes.c_void_p
        return function(*arguments)

    def call(self, name: str, *arguments: object) -> None:
        error = self._library[name](*arguments)
        assert error == 0, (name, arguments, error)


class _Cluster:
    def __init__(self, count: int) -> None:
        self._library = library = _Library()
        self._text = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(library.pointer("rd_kafka_conf_new"))
        producer = library.pointer("rd_kafka_new", 0, conf, self._text, ctypes.c_size_t(512))
        assert producer, self._text.value
        self._cluster = ctypes.c_void_p(
            library.pointer("rd_kafka_mock_cluster_new", ctypes.c_void_p(producer), count)
        )
        library.call("rd_kafka_mock_set_controller_id", self._cluster, 1)
        library.call("rd_kafka_mock_group_initial_rebalance_delay_ms", self._cluster, 0)

    @property
    def address(self) -> str:
        text = self._library.pointer("rd_kafka_mock_cluster_bootstraps", self._cluster)
        return ctypes.string_at(text).decode()

    def create(self, topic: str, partitions: int) -> None:
        self._library.call("rd_kafka_mock_topic_create", self._cluster, topic.encode(), partitions, 1)

    def show(self, topic: str, partitions: int) -> None:
        at = self._word((self._cluster.value or 0) + _CLUSTER_TOPICS)
        while ctypes.string_at(self._word(at + _TOPIC_NAME)) != topic.encode():
            at = self._word(at)
        ctypes.c_int.from_address(at + _TOPIC_PARTITIONS).value = partitions

    def delete(self, topic: str) -> None:
        self._library.call("rd_kafka_mock_topic_delete", self._cluster, topic.encode())

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        self._library.call(
            "rd_kafka_mock_partition_delete_records",
            self._cluster,
            topic.encode(),
            partition,
            ctypes.c_int64(before),
        )

    def down(self) -> None:
        self._library.call("rd_kafka_mock_broker_set_down", self._cluster, -1)

    def up(self) -> None:
        self._library.call("rd_kafka_mock_broker_set_up", self._cluster, -1)

    def errors(self, api: int, errors: Sequence[int]) -> None:
        array = (ctypes.c_int * len(errors))(*errors)
        self._library.pointer(
            "rd_kafka_mock_push_request_errors_array",
            self._cluster,
            ctypes.c_int16(api),
            ctypes.c_size_t(len(errors)),
            array,
        )

    @staticmethod
    def _word(address: int) -> int:
        found = ctypes.c_uint64.from_address(address).value
        assert found
        return found


def _serve(count: int) -> None:
    cluster = _Cluster(count)
    print(cluster.address, flush=True)  # noqa: T201 - read by the test
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        getattr(cluster, name)(*arguments)
        print("done", flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
