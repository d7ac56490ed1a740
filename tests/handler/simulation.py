"""A world in which handlers run in every order: paused before each AWS call, killed, delayed, repeated."""

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

from conversion import Account, Column, Conversion, UnreadableError
from dynamo import Table
from environment import Settings
from faults import DeliveryError
from invocation import Invocation
from job_records import Delivery, job_id
from objects import Bucket
from outputs import Output
from processor import Processor
from s3_events import ObjectCreated
from tests.handler.deliveries import ACCOUNT, BUCKET, REGION
from tests.handler.fake_conversion import done
from tests.handler.memory_aws import MemoryDynamoDB, MemoryS3

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
    datasets=(),
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


def output_bytes(output: Output, job_id: str) -> bytes:
    return f"{output} of {job_id}".encode()


@contextmanager
def convert(
    source: BinaryIO,
    *,
    reopen: Callable[[], BinaryIO],
    workdir: Path,
    provenance: Mapping[str, str],
    **_: Any,
) -> Iterator[Conversion]:
    """Stand in for the conversion: as it does, name the job in each file."""
    kind = source.read().decode()
    if kind == "read twice":
        with reopen() as again:
            assert again.read().decode() == kind
    files = {}
    for output in KINDS[kind]:
        files[output] = workdir / f"{output} {provenance['job_id']}"
        if not files[output].exists():
            files[output].write_bytes(output_bytes(output, provenance["job_id"]))
    rejects = files.get(Output.REJECTS)
    if Output.PARQUET not in files:
        raise UnreadableError(kind, rejects=rejects)
    yield Conversion(
        parquet=files[Output.PARQUET],
        profile=done(files[Output.PROFILE]),
        rejects=rejects,
        account=Account(
            bytes_in=1, bytes_decompressed=1, bytes_out=1, rows_in=2, rows_out=2, rows_rejected=0
        ),
        columns=(Column(name="a", source_name="a", type="BIGINT"),),
        format="delimited",
        encoding="utf-8",
        compression="none",
    )


@contextmanager
def workspace() -> Iterator[Path]:
    """One directory for all: its files are named by their jobs."""
    yield _workspace()


@cache
def _workspace() -> Path:
    return Path(tempfile.mkdtemp())


class Killed(BaseException):
    """The process is no more."""


@dataclass(eq=False)
class Message:
    """An event in the queue."""

    event: ObjectCreated
    receives: int = 0


@dataclass
class World:
    """One bucket, one table, one queue, and the handlers at work."""

    s3: MemoryS3 = field(default_factory=MemoryS3)
    dynamodb: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    now: float = 1_000_000.0
    uploads: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(version, kind, sequencer), oldest first."""
    queue: list[Message] = field(default_factory=list)
    hidden: list[Message] = field(default_factory=list)
    """Received, not processed, not visible until the visibility timeout has passed."""
    dead: list[Message] = field(default_factory=list)
    running: list["Run"] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    """Jobs whose metrics were emitted."""
    deliveries: int = 0

    def upload(self, kind: str, sequencer: str | None) -> None:
        body = b"" if kind == "empty" else kind.encode()
        version = self.s3.add(KEY, body)
        self.uploads.append((version, kind, sequencer))
        self.queue.append(
            Message(
                ObjectCreated(bucket=BUCKET, key=KEY, region=REGION, version_id=version, sequencer=sequencer)
            )
        )

    def deliver(self, message: Message) -> "Run":
        self.queue.remove(message)
        message.receives += 1
        self.deliveries += 1
        run = Run(self, message, f"delivery {self.deliveries}")
        self.running.append(run)
        run.start()
        return run

    def ended(self, run: "Run") -> None:
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
        """What is under the outputs' keys: bytes and job."""
        return {
            key: (current.body, current.metadata["job-id"])
            for key in self.s3.objects
            if key != KEY and (current := self.s3.current(key))
        }

    def record(self, job_id: str) -> dict[str, Any]:
        return self.dynamodb.items.get(job_id, {})


_current = threading.local()


def emit(*_: Any) -> None:
    """Stand in for the metrics of the job that this thread works on."""
    _current.run.count()


class Run:
    """One handler at work on a message, in a thread that moves only when it is told to."""

    def __init__(self, world: World, message: Message, owner: str) -> None:
        self.world = world
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
        self._thread.start()
        self._wait()

    def until(self, operation: str) -> None:
        """Go on until it is about to make such a call, to tell SQS that it is done ("end"), or has ended."""
        if self in self.world.running:
            self.step("go on")
        while self in self.world.running and self.about_to != operation:
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
            self.world.ended(self)
            if self.error:
                raise self.error

    def _pause(self, about_to: str) -> str:
        self.about_to = about_to
        self._has_stopped.release()
        self._may_go.acquire()
        if self._action == "kill":
            raise Killed
        return self._action

    def count(self) -> None:
        """Note that the job's metrics have been emitted."""
        event = self.message.event
        self.world.counted.append(job_id(event.bucket, event.key, event.version_id or ""))

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
        s3 = self._client(self.world.s3, "get_object", "head_object", "put_object", "delete_object")
        dynamodb = self._client(self.world.dynamodb, "get_item", "update_item")
        processor = Processor(SETTINGS, Bucket(s3, BUCKET), Table(dynamodb, "jobs"), lambda: self.world.now)
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
