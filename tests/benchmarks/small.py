"""The time of a small object compared with its AWS calls alone, and the time of a cold start.

`python -m tests.benchmarks.small TWIN` is the function's process. It handles the deliveries that it reads.
Then it repeats the AWS calls of each on a bucket and a table named TWIN, which begin with the same content.
"""

import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

import boto3
from botocore import xform_name

from tests.handler.aws import ENVIRONMENT, Stack
from tests.handler.deliveries import Context, batch, eventbridge

ROOT = Path(__file__).parents[2]
PROCESSES = 5
OBJECTS = 10
"""The objects that each process handles after its first one."""
_DATA = b"id,name,price\n" + b"".join(b"%d,name %d,%d.50\n" % (i, i, i) for i in range(61))
_ALL = "everything that the handler loads"
_IMPORTS = {
    "Python": "pass",
    "boto3": "import boto3",
    "Powertools": "import aws_lambda_powertools",
    "DuckDB": "import duckdb",
    "the conversion, DuckDB included": "import conversion",
    _ALL: "import index",
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The milliseconds for one object of 1 KB."""

    handled: float
    bare: float
    """For the same AWS calls alone."""
    converted: float
    """For the conversion alone."""
    calls: list[str]
    modules: list[str]
    """The modules that were loaded meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Small:
    """The figures; all are medians."""

    milliseconds: dict[str, float]
    ratio: float
    """The handling's time, divided by that of its AWS calls alone."""
    calls: list[str]
    deferred: list[str]
    """The modules that the first handling loads, and not the start."""


def measure(endpoint: str) -> Small:
    """Measure with S3 and DynamoDB at this address."""
    processes = [_turns(Stack.create(endpoint), Stack.create(endpoint)) for _ in range(PROCESSES)]
    first = processes[0][0]

    def median(of: Callable[[Turn], float]) -> float:
        return statistics.median(of(turn) for _, *turns in processes for turn in turns)

    return Small(
        milliseconds={
            "handling of 1 KB": median(lambda turn: turn.handled),
            f"its {len(first.calls)} AWS calls alone": median(lambda turn: turn.bare),
            "handling over those": median(lambda turn: turn.handled - turn.bare),
            "conversion of 1 KB alone": median(lambda turn: turn.converted),
            "first handling of a process": statistics.median(turn.handled for turn, *_ in processes),
            **_starts(),
        },
        ratio=median(lambda turn: turn.handled / turn.bare),
        calls=first.calls,
        deferred=first.modules,
    )


def _turns(stack: Stack, twin: Stack) -> list[Turn]:
    """Return the times of one new process, for its first object and those after it."""
    deliveries = []
    for number in range(1 + OBJECTS):
        key = f"input/small/{number:02}.csv"
        twin.upload(key, _DATA)
        deliveries.append(batch([eventbridge(key, stack.upload(key, _DATA), bucket=stack.name)]))
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.small", twin.name],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **stack.environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'handler'}"},
        input=json.dumps(deliveries),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert {item["status"]["S"] for item in stack.items().values() if "status" in item} == {"COMPLETED"}
    assert (twin.items(), twin.objects()) == (stack.items(), stack.objects())
    return [Turn(**turn) for turn in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """Measure each delivery of the standard input, and print the times as JSON in the last line."""
    import index

    made: list[tuple[str, str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        params = dict(params)
        if file := params.get("Body"):
            params["Body"] = file.read()
            file.seek(0)
        made.append((model.service_model.service_name, model.name, params))

    for client in (index.processor._uploads._client, index.processor._table._client):
        client.meta.events.register("provide-client-params", note)
    turns = []
    for delivery in json.load(sys.stdin):
        made.clear()
        loaded = set(sys.modules)
        handled = _milliseconds(partial(index.handler, delivery, Context()))
        modules = sorted(set(sys.modules) - loaded)
        bare = _milliseconds(partial(_repeat, made, sys.argv[1]))
        calls = [operation for _, operation, _ in made]
        turns.append(Turn(handled=handled, bare=bare, converted=_converted(), calls=calls, modules=modules))
    print(json.dumps([asdict(turn) for turn in turns]))


def _repeat(calls: Iterable[tuple[str, str, dict[str, Any]]], name: str) -> None:
    """Make the calls on the bucket and the table of this name."""
    for service, operation, params in calls:
        where = "Bucket" if service == "s3" else "TableName"
        answer = getattr(_client(service), xform_name(operation))(**params | {where: name})
        if operation == "GetObject":
            answer["Body"].read()


_client: Callable[[str], Any] = cache(boto3.client)


def _converted() -> float:
    from conversion import Limits, convert

    def convert_all(workdir: Path) -> None:
        convert(
            io.BytesIO(_DATA),
            reopen=lambda: io.BytesIO(_DATA),
            key="small.csv",
            size=len(_DATA),
            workdir=workdir,
            limits=Limits(),
            provenance={},
        )

    with tempfile.TemporaryDirectory() as workdir:
        return _milliseconds(lambda: convert_all(Path(workdir)))


def _starts() -> dict[str, float]:
    """Return the milliseconds that new processes take to start.

    Their modules are compiled, except in the last kind: Lambda gets no bytecode of the handler and the layer.
    """
    from local.embedded_lambda.host_layer import host_layer

    handler = ROOT / "handler"
    with tempfile.TemporaryDirectory() as directory:
        shipped = [Path(directory, "handler"), Path(directory, "layer")]
        for source, target in zip((handler, host_layer() / "python"), shipped, strict=True):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        starts = {f"start of {name}": _start(statement, handler) for name, statement in _IMPORTS.items()}
        starts[f"start of {_ALL}, without bytecode, as on Lambda"] = _start(
            "import index", *shipped, PYTHONDONTWRITEBYTECODE="1"
        )
        runs = [{name: _milliseconds(start) for name, start in starts.items()} for _ in range(PROCESSES)]
    return {name: statistics.median(run[name] for run in runs) for name in starts}


def _start(statement: str, *path: Path, **environment: str) -> Callable[[], object]:
    """Return a function that runs a statement in a new process."""
    fixed = {"BUCKET_NAME": "none", "TABLE_NAME": "none", "PYTHONDONTWRITEBYTECODE": ""}
    return partial(
        subprocess.run,
        [sys.executable, "-c", statement],
        env=os.environ | ENVIRONMENT | fixed | {"PYTHONPATH": ":".join(map(str, path))} | environment,
        check=True,
    )


def _milliseconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
