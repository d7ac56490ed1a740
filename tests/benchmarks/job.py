"""One job of one engine, in its own process: convert an object in S3 to Parquet in S3.

`python -m tests.benchmarks.job ENGINE ENDPOINT KEY WORKDIR [TYPES]` prints seconds, processor seconds and
peak resident bytes as JSON. Imports and the client are ready before the clock starts.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import boto3

from tests.conversion.measured import peak_resident_bytes

BUCKET = "bench"


def client(endpoint: str) -> Any:
    """Return a client of the embedded S3."""
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def fetch(s3: Any, key: str, workdir: Path) -> Path:
    """Download the object with one GET, which is as fast as any other method here."""
    path = workdir / Path(key).name
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"]
    with path.open("wb") as file:
        while block := body.read(1024 * 1024):
            file.write(block)
    return path


def put(s3: Any, path: Path, key: str) -> None:
    """Publish a file as the handler does: with one PutObject."""
    with path.open("rb") as body:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def project() -> Callable[..., Path]:
    """Return this project's conversion, with its row account, types, rejects and profile."""
    convert = conversion()

    def run(s3: Any, key: str, workdir: Path, *_: str) -> Path:
        size = s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"]
        result = convert(lambda: s3.get_object(Bucket=BUCKET, Key=key)["Body"], key, size, workdir)
        put(s3, result.parquet, f"processed/{key}.parquet")
        put(s3, result.profile, f"processed/_profiles/{key}.json")
        return result.parquet

    return run


def local() -> Callable[..., Path]:
    """Return the same without S3, to compare it with the COPY alone."""
    convert = conversion()

    def run(_s3: Any, key: str, workdir: Path, *_: str) -> Path:
        source = workdir.parent / Path(key).name
        return convert(lambda: source.open("rb"), key, source.stat().st_size, workdir).parquet

    return run


def conversion() -> Callable[..., Any]:
    """Return the conversion of an object that a function opens."""
    from conversion import Limits, convert

    def run(opened: Callable[[], Any], key: str, size: int, workdir: Path) -> Any:
        limits = Limits(seconds=1000, disk_bytes=20 * 10**9)
        with closing(opened()) as source:
            return convert(
                source, reopen=opened, key=key, size=size, workdir=workdir, limits=limits, provenance={}
            )

    return run


def copy() -> Callable[..., Path]:
    """Return DuckDB's COPY alone, of a local file whose types are given."""
    import duckdb

    def run(_s3: Any, key: str, workdir: Path, types: str = "{}") -> Path:
        columns = "{" + ", ".join(f"'{name}': '{type_}'" for name, type_ in json.loads(types).items()) + "}"
        source = workdir.parent / Path(key).name
        reader = (
            f"read_json('{source}', format = 'newline_delimited', columns = {columns})"
            if key.endswith("ndjson")
            else f"read_csv('{source}', auto_detect = false, header = true, delim = ',', columns = {columns})"
        )
        output = workdir / "output.parquet"
        with duckdb.connect(config={"threads": 1, "memory_limit": "400MiB"}) as connection:
            connection.execute(
                f"COPY (FROM {reader}) TO '{output}' "
                "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '64MB')"
            )
        return output

    return run


def pandas() -> Callable[..., Path]:
    """Return the conversion with pandas, in chunks with the schema of the first."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    def run(s3: Any, key: str, workdir: Path, *_: str) -> Path:
        path, output = fetch(s3, key, workdir), workdir / "output.parquet"
        rows = 100_000
        chunks = (
            pd.read_json(path, lines=True, chunksize=rows, dtype_backend="pyarrow")
            if key.endswith("ndjson")
            else pd.read_csv(path, chunksize=rows)
        )
        writer = None
        for chunk in chunks:
            table = pa.Table.from_pandas(
                chunk, schema=writer.schema if writer else None, preserve_index=False
            )
            writer = writer or pq.ParquetWriter(output, table.schema, compression="zstd")
            writer.write_table(table)
        assert writer is not None
        writer.close()
        return output

    return run


def pyarrow() -> Callable[..., Path]:
    """Return the conversion with pyarrow, streaming if it can."""
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet as pq

    def run(s3: Any, key: str, workdir: Path, *_: str) -> Path:
        path, output = fetch(s3, key, workdir), workdir / "output.parquet"
        if key.endswith("ndjson"):
            table = pyarrow.json.read_json(path)
            pq.write_table(table, output, compression="zstd")
            return output
        with (
            pyarrow.csv.open_csv(path) as reader,
            pq.ParquetWriter(output, reader.schema, compression="zstd") as writer,
        ):
            for batch in reader:
                writer.write_batch(batch)
        return output

    return run


def polars() -> Callable[..., Path]:
    """Return the conversion with polars' streaming engine."""
    import polars as pl

    def run(s3: Any, key: str, workdir: Path, *_: str) -> Path:
        path, output = fetch(s3, key, workdir), workdir / "output.parquet"
        scan = pl.scan_ndjson(path) if key.endswith("ndjson") else pl.scan_csv(path, try_parse_dates=True)
        scan.sink_parquet(output, compression="zstd")
        return output

    return run


ENGINES = {
    "copy": copy,
    "local": local,
    "project": project,
    "polars": polars,
    "pyarrow": pyarrow,
    "pandas": pandas,
}


def main() -> None:
    """Run the job that the arguments name."""
    engine, endpoint, key, workdir, *types = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):  # Linux
        # A function of 1,769 MB has one processor, and a smaller one has a share of it.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    run = ENGINES[engine]()
    s3 = client(endpoint)
    started, processor = perf_counter(), process_time()
    output = run(s3, key, Path(workdir), *types)
    if engine in ("polars", "pyarrow", "pandas"):
        put(s3, output, f"processed/{engine}/{key}.parquet")
    measured = {
        "seconds": perf_counter() - started,
        "cpu_seconds": process_time() - processor,
        "resident_bytes": peak_resident_bytes(),
        "bytes_out": output.stat().st_size,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
