"""A simulation of deliveries in any order: handlers that pause before each AWS call, fail, and are killed."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from botocore.exceptions import EndpointConnectionError
from greenlet import getcurrent, greenlet

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
from tests.handler.fake_conversion import account
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
"""The kinds of upload, and the outputs of each."""

STATUSES = {"unreadable": "FAILED", "too many rejects": "FAILED", "empty": "SKIPPED"}
"""The final status of the job of each kind; COMPLETED if a kind is not named."""


def output_bytes(output: Output, job: str, generation: str) -> bytes:
    """Return what the fake conversion writes."""
    return f"{output} of {job}, {generation}".encode()


def output_author(body: bytes | None) -> tuple[str, int]:
    """Return the job and the generation that the fake conversion wrote into an output."""
    job, generation = (body or b"").decode().partition(" of ")[2].split(", ")
    return job, int(generation)


def convert(
    source: BinaryIO,
    *,
    reopen: Callable[[], BinaryIO],
    workdir: Path,
    provenance: Mapping[str, str],
    **_: Any,
) -> Conversion:
    """Replace the conversion: like the real one, write the job and the generation into each file."""
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
    return Conversion(
        parquet=files[Output.PARQUET],
        profile=files[Output.PROFILE],
        rejects=rejects,
        account=account(3),
        columns=(Column(name="a", source_name="a", type="BIGINT", source_type="BIGINT", renamed_fields=()),),
        format="delimited",
        encoding="utf-8",
        compression="none",
    )


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield one directory for all jobs, whose files are named by their jobs."""
    yield _workspace()


@cache
def _workspace() -> Path:
    return Path(tempfile.mkdtemp())


class Killed(BaseException):
    """The process was killed."""


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
    """One key of a bucket, one table, one queue, and the handlers that run."""

    s3: MemoryS3 = field(default_factory=MemoryS3)
    dynamodb: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    now: float = 1_000_000.0
    kinds: dict[str, str] = field(default_factory=dict)
    """The kind of each uploaded version."""
    queue: list[Message] = field(default_factory=list)
    hidden: list[Message] = field(default_factory=list)
    """Messages that were received and not processed, until the visibility timeout has passed."""
    dead: list[Message] = field(default_factory=list)
    """The dead-letter queue."""
    running: list["Run"] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    """The jobs and statuses of the metrics that were emitted."""
    deliveries: int = 0
    events: int = 0
    deleted_by_a_user: bool = False
    replays: int = 0
    lost: bool = False
    """Whether an event has never arrived."""
    forgotten: bool = False
    """Whether job records have expired."""

    def upload(self, kind: str) -> str:
        """Create a version of that kind, and send its event."""
        version = self.s3.add(KEY, b"" if kind == "empty" else kind.encode())
        self.kinds[version] = kind
        self._send(Kind.CREATED, version)
        return version

    def delete(self) -> None:
        """Create a delete marker, as a user's DeleteObject does."""
        self.deleted_by_a_user = True
        self._send(Kind.DELETED, self.s3.add(KEY, None))

    def expire(self) -> None:
        """Create a delete marker, as a lifecycle rule does with a current version."""
        if self.s3.current(KEY):
            self._send(Kind.EXPIRED, self.s3.add(KEY, None))

    def remove(self, version: str, *, event: bool = True) -> None:
        """Delete a version or a delete marker permanently, with or without an event."""
        self.deleted_by_a_user = True
        self.s3.remove_version(KEY, version)
        if event:
            self._send(Kind.REMOVED, version)
        else:
            self.lost = True

    def archive(self) -> None:
        """Move the current version to an archive class."""
        if current := self.s3.current(KEY):
            self.s3.archived.add(current.version_id)

    def restore(self) -> None:
        """Restore the archived versions, and replay the current one, as the runbook says."""
        self.s3.archived.clear()
        self.replay()

    def replay(self) -> None:
        """Send the event of the current version again, as `ops replay` does."""
        if current := self.s3.current(KEY):
            self.replays += 1
            self._send(Kind.CREATED, current.version_id, self.replay_id())

    def replay_id(self) -> str:
        """Return an id greater than those before."""
        return f"20300101T000000Z-{self.events:04}"

    def lose(self, message: Message) -> None:
        """Let a message that no handler works on disappear."""
        self.lost = True
        (self.queue if message in self.queue else self.hidden).remove(message)

    def expire_records(self) -> None:
        """Let the records of all finished jobs expire, but not the register."""
        self.forgotten = True
        for identity, job in self.jobs().items():
            if not job["retryable"]:
                del self.dynamodb.items[identity]

    def _send(self, kind: Kind, version: str, replay_id: str | None = None) -> None:
        self.send(
            ObjectEvent(
                kind=kind,
                bucket=BUCKET,
                key=KEY,
                region=REGION,
                version_id=version,
                sequencer=None if replay_id else f"{self.events + 1:04X}",
                replay_id=replay_id,
            )
        )

    def send(self, event: ObjectEvent) -> None:
        """Put an event into the queue."""
        self.events += 1
        self.queue.append(Message(event))

    def deliver(self, message: Message) -> "Run":
        """Start a handler for a message in the queue."""
        self.queue.remove(message)
        message.receives += 1
        self.deliveries += 1
        run = Run(self, message, f"delivery {self.deliveries}")
        self.running.append(run)
        run.start()
        return run

    def ended(self, run: "Run") -> None:
        """Treat the message of a handler that has ended as SQS does."""
        self.running.remove(run)
        if not run.succeeded:
            (self.dead if run.message.receives >= MAX_RECEIVE_COUNT else self.hidden).append(run.message)

    def pass_time(self) -> None:
        """Let the visibility timeout pass: Lambda has ended each handler by then."""
        for run in list(self.running):
            run.step("kill")
        self.now += VISIBILITY_TIMEOUT
        self.queue += self.hidden
        self.hidden = []

    def finish(self) -> None:
        """Let the handlers that run come to their ends, in turns."""
        while self.running:
            for run in list(self.running):
                run.step("go on")

    def state(self) -> str:
        """Return everything that the future depends on while no handler runs."""
        assert not self.running
        return repr(vars(self) | {"s3": vars(self.s3), "dynamodb": vars(self.dynamodb)})

    def settle(self) -> None:
        """Deliver all messages until none is left, the dead letters included."""
        self.finish()
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
        raise AssertionError("messages are left after 50 rounds")

    def published(self) -> dict[str, tuple[bytes | None, str]]:
        """Return the bytes and the job of each published output, by key."""
        return {
            key: (current.body, current.metadata["job-id"])
            for key in self.s3.objects
            if key != KEY and (current := self.s3.current(key))
        }

    def register(self) -> Holding | None:
        """Return the content of the key's register."""
        return Holding.of(plain(self.dynamodb.items.get(register_id(BUCKET, KEY), {})), BUCKET, KEY)

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the job records, as plain values."""
        return {
            identity: plain(item)
            for identity, item in self.dynamodb.items.items()
            if identity != register_id(BUCKET, KEY)
        }


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of an item without DynamoDB's types; numbers stay strings."""
    return {name: next(iter(value.values())) for name, value in item.items()}


def emit(status: Status, *_: Any) -> None:
    """Replace the metrics: note the status of the job that this handler works on."""
    current = getcurrent()
    assert isinstance(current, _Handler)
    current.of.count(status)


class _Handler(greenlet):
    """The greenlet of a handler. An exception in it is raised where it was continued."""

    def __init__(self, of: "Run") -> None:
        super().__init__(of.process)
        self.of = of


class Run:
    """One handler for a message, in a greenlet that pauses before each AWS call."""

    def __init__(self, simulation: Simulation, message: Message, owner: str) -> None:
        self.simulation = simulation
        self.message = message
        self.succeeded = False
        self.about_to = ""
        self._action = "go on"
        self._delivery = Delivery(owner=owner, last=message.receives >= MAX_RECEIVE_COUNT)
        self._test = getcurrent()
        self._handler = _Handler(self)

    def start(self) -> None:
        """Run until it is about to make its first call."""
        self._go_on()

    def until(self, operation: str) -> None:
        """Continue until the handler is about to make such a call or to return ("end"), or has ended."""
        if self in self.simulation.running:
            self.step("go on")
        while self in self.simulation.running and self.about_to != operation:
            self.step("go on")

    def step(self, action: str) -> None:
        """Make its next call: "go on", "lose the answer", "fail", "kill" (before it) or "kill after"."""
        self._action = action
        self._go_on()

    def _go_on(self) -> None:
        self._handler.switch()
        if self._handler.dead:
            self.simulation.ended(self)

    def _pause(self, about_to: str) -> str:
        self.about_to = about_to
        self._test.switch()
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
        if action == "lose the answer":  # Botocore makes the call once more.
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

    def process(self) -> None:
        """Handle the message, with a pause before each call."""
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
