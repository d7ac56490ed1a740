"""Handlers that run in every order: paused before each AWS call, killed, delayed, delivered again."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from botocore.exceptions import EndpointConnectionError

from conversion import Column, Conversion, UnreadableError
from datasets import Datasets
from dynamo import Table
from environment import Settings
from faults import DeliveryError
from invocation import Invocation
from job_records import Delivery, Status, deletion_job_id, job_id
from objects import Bucket
from outputs import Output
from processor import Processor
from register import Holding, register_id
from s3_events import Kind, ObjectEvent
from tests.handler.deliveries import ACCOUNT, BUCKET, REGION
from tests.handler.fake_conversion import account, done
from tests.handler.memory_aws import MemoryDynamoDB, MemoryS3
from uploads import Uploads

KEY = "input/flights.csv"
MAX_RECEIVE_COUNT = 3
VISIBILITY_TIMEOUT = 1800.0
TIMEOUT = 300.0

SETTINGS = Settings(
    bucket=BUCKET,
    table="jobs",
    region=REGION,
    environment_suffix="test",
    max_receive_count=MAX_RECEIVE_COUNT,
    rejected_share_max=0.1,
    decompressed_bytes_max=2**32,
    decompression_ratio_max=200.0,
    job_retention_days=0,
    upload_prefixes=(),
    system_prefixes=("processed/", "rejected/"),
    datasets=Datasets({"datasets": []}),
    program_version="1.0.0",
)

KINDS = {
    "good": {Output.PARQUET, Output.PROFILE},
    "read twice": {Output.PARQUET, Output.PROFILE},
    "with rejects": {Output.PARQUET, Output.PROFILE, Output.REJECTS},
    "unreadable": set(),
    "too many rejects": {Output.REJECTS},
    "empty": set(),
}
"""What may be uploaded, and the outputs that it has."""

STATUSES = {"unreadable": "FAILED", "too many rejects": "FAILED", "empty": "SKIPPED"}
"""How the job of a current version ends; all others are COMPLETED."""


def output_bytes(output: Output, job: str, generation: str) -> bytes:
    """Return what the fake conversion writes."""
    return f"{output} of {job}, {generation}".encode()


@contextmanager
def convert(
    source: BinaryIO,
    *,
    reopen: Callable[[], BinaryIO],
    workdir: Path,
    provenance: Mapping[str, str],
    **_: Any,
) -> Iterator[Conversion]:
    """Take the place of the conversion: as it does, name job and generation in each file."""
    kind = source.read().decode()
    if kind == "read twice":
        with reopen() as again:
            assert again.read().decode() == kind
    origin = provenance["job_id"], provenance["generation"]
    files = {}
    for output in KINDS[kind]:
        files[output] = workdir / f"{output} {' '.join(origin)}"
        if not files[output].exists():
            files[output].write_bytes(output_bytes(output, *origin))
    rejects = files.get(Output.REJECTS)
    if Output.PARQUET not in files:
        raise UnreadableError(kind, account=account(0), rejects=rejects)
    yield Conversion(
        parquet=files[Output.PARQUET],
        profile=done(files[Output.PROFILE]),
        rejects=rejects,
        account=account(3),
        columns=(Column(name="a", source_name="a", type="BIGINT", source_type="BIGINT", renamed_fields=()),),
        format="delimited",
        encoding="utf-8",
        compression="none",
    )


@contextmanager
def workspace() -> Iterator[Path]:
    """Give one directory to all: its files are named by their jobs."""
    yield _workspace()


@cache
def _workspace() -> Path:
    return Path(tempfile.mkdtemp())


class Killed(BaseException):
    """The process is no more."""


@dataclass(eq=False)
class Message:
    """An event in the queue."""

    event: ObjectEvent
    receives: int = 0

    @property
    def job(self) -> str:
        """The id of its job."""
        event = self.event
        if event.kind is Kind.CREATED:
            return job_id(event.bucket, event.key, event.version_id or "")
        subject = event.bucket, event.key, event.version_id or ""
        return deletion_job_id(*subject, event.kind.value, event.sequencer or "")


@dataclass
class Simulation:
    """One bucket, one table, one queue, and the handlers at work."""

    s3: MemoryS3 = field(default_factory=MemoryS3)
    dynamodb: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    now: float = 1_000_000.0
    kinds: dict[str, str] = field(default_factory=dict)
    """What was uploaded, by version."""
    queue: list[Message] = field(default_factory=list)
    hidden: list[Message] = field(default_factory=list)
    """Received, not processed, not visible until the visibility timeout has passed."""
    dead: list[Message] = field(default_factory=list)
    running: list["Run"] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    """Jobs and statuses of which metrics were emitted."""
    deliveries: int = 0
    events: int = 0

    def upload(self, kind: str) -> str:
        """Put a version of that kind on top, and its event into the queue."""
        version = self.s3.add(KEY, b"" if kind == "empty" else kind.encode())
        self.kinds[version] = kind
        self._send(Kind.CREATED, version)
        return version

    def delete(self, kind: Kind = Kind.DELETED) -> str:
        """Put a delete marker on top."""
        marker = self.s3.add(KEY, None)
        self._send(kind, marker)
        return marker

    def remove(self, version: str, *, told: bool = True) -> None:
        """Remove a version or a delete marker for good; S3 may not tell of a marker."""
        self.s3.remove_version(KEY, version)
        if told:
            self._send(Kind.REMOVED, version)

    def _send(self, kind: Kind, version: str) -> None:
        self.events += 1
        self.queue.append(
            Message(
                ObjectEvent(
                    kind=kind,
                    bucket=BUCKET,
                    key=KEY,
                    region=REGION,
                    version_id=version,
                    sequencer=f"{self.events:04X}",
                )
            )
        )

    def deliver(self, message: Message) -> "Run":
        """Start a handler on a message."""
        self.queue.remove(message)
        message.receives += 1
        self.deliveries += 1
        run = Run(self, message, f"delivery {self.deliveries}")
        self.running.append(run)
        run.start()
        return run

    def ended(self, run: "Run") -> None:
        """Do with its message what SQS does."""
        self.running.remove(run)
        if not run.succeeded:
            (self.dead if run.message.receives >= MAX_RECEIVE_COUNT else self.hidden).append(run.message)

    def pass_time(self) -> None:
        """Let the visibility timeout pass: what runs has ended by then, or Lambda has ended it."""
        for run in list(self.running):
            run.step("kill")
        self.now += VISIBILITY_TIMEOUT
        self.queue += self.hidden
        self.hidden = []

    def settle(self) -> None:
        """Let everything come to its end, dead letters moved back to the queue included."""
        while self.running:
            for run in list(self.running):
                run.step("go on")
        for _ in range(50):
            if not (self.queue or self.hidden or self.dead):
                return
            for message in list(self.queue):
                run = self.deliver(message)
                while run in self.running:
                    run.step("go on")
            self.pass_time()
            for message in self.dead:
                message.receives = 0
            self.queue += self.dead
            self.dead = []
        raise AssertionError("it never comes to its end")

    def published(self) -> dict[str, tuple[bytes | None, str]]:
        """Return what is under the outputs' keys: bytes and job."""
        return {
            key: (current.body, current.metadata["job-id"])
            for key in self.s3.objects
            if key != KEY and (current := self.s3.current(key))
        }

    def register(self) -> Holding | None:
        """Return what the key's register holds."""
        item = self.dynamodb.items.get(register_id(BUCKET, KEY), {})
        return Holding.of({name: next(iter(value.values())) for name, value in item.items()}, BUCKET, KEY)

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the job records, as plain values."""
        return {
            identity: {name: next(iter(value.values())) for name, value in item.items()}
            for identity, item in self.dynamodb.items.items()
            if identity != register_id(BUCKET, KEY)
        }


_current = threading.local()


def emit(status: Status, *_: Any) -> None:
    """Take the place of the metrics of the job that this thread works on."""
    _current.run.count(status)


class Run:
    """One handler at work on a message, in a thread that moves only when it is told to."""

    def __init__(self, simulation: Simulation, message: Message, owner: str) -> None:
        self.simulation = simulation
        self.message = message
        self.succeeded = False
        self.error: BaseException | None = None
        self.about_to = ""
        self._action = "go on"
        self._may_go, self._has_stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._delivery = Delivery(owner=owner, last=message.receives >= MAX_RECEIVE_COUNT)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ended = False

    def start(self) -> None:
        """Begin, up to its first call."""
        self._thread.start()
        self._wait()

    def until(self, operation: str) -> None:
        """Go on until it is about to make such a call, to tell SQS that it is done ("end"), or has ended."""
        if self in self.simulation.running:
            self.step("go on")
        while self in self.simulation.running and self.about_to != operation:
            self.step("go on")

    def step(self, action: str) -> None:
        """Make its next call: "go on", "lose the answer", "fail", or "kill" before or after it."""
        self._action = action
        self._may_go.release()
        self._wait()

    def _wait(self) -> None:
        self._has_stopped.acquire()
        if self._ended:
            self._thread.join()
            self.simulation.ended(self)
            if self.error:
                raise self.error

    def _pause(self, about_to: str) -> str:
        self.about_to = about_to
        self._has_stopped.release()
        self._may_go.acquire()
        if self._action == "kill":
            raise Killed
        return self._action

    def count(self, status: Status) -> None:
        """Note that the job's metrics have been emitted."""
        self.simulation.counted.append((self.message.job, status.value))

    def _call(self, call: Callable[..., Any], **request: Any) -> Any:
        action = self._pause(call.__name__)
        if action == "fail":
            raise EndpointConnectionError(endpoint_url="https://aws")
        if action == "kill after":
            call(**request)
            raise Killed
        if action == "lose the answer":  # so botocore makes the call once more
            try:
                call(**request)
            finally:
                if "Body" in request:
                    request["Body"].seek(0)
        return call(**request)

    def _client(self, aws: MemoryS3 | MemoryDynamoDB, *operations: str) -> Any:
        def bind(name: str) -> Callable[..., Any]:
            return lambda **request: self._call(getattr(aws, name), **request)

        return SimpleNamespace(**{name: bind(name) for name in operations})

    def _run(self) -> None:
        _current.run = self
        s3 = self._client(
            self.simulation.s3, "get_object", "head_object", "put_object", "delete_object", "list_objects_v2"
        )
        dynamodb = self._client(self.simulation.dynamodb, "get_item", "update_item")
        processor = Processor(
            SETTINGS,
            Uploads(s3, BUCKET),
            Bucket(s3, BUCKET),
            Table(dynamodb, "jobs"),
            lambda: self.simulation.now,
        )
        invocation = Invocation(
            id="invocation",
            account=ACCOUNT,
            memory_bytes=2**30,
            seconds=TIMEOUT,
            _remaining_ms=lambda: int(TIMEOUT * 1000),
        )
        try:
            processor.process(self.message.event, self._delivery, invocation)
            self._pause("end")
            self.succeeded = True
        except (Killed, DeliveryError):
            pass
        except BaseException as error:  # noqa: BLE001  (raised in the test's own thread)
            self.error = error
        self._ended = True
        self._has_stopped.release()
