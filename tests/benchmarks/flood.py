"""Process thousands of small files in the three regions of the embedded AWS, and report the rate.

It is the rate of the embedded AWS, which answers one request at a time, and runs as many functions as the
machine has processors. docs/reliability.md, "Floods", has the limits of a region of AWS.
"""

import argparse
import json

from local.cloud import Cloud
from tests.local.flood import expected, flood


def main() -> None:
    """Upload the files, check the results, and print the rate as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.flood", description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="files for each region (default 1000)")
    files = parser.parse_args().files
    with Cloud() as cloud:
        seen, seconds = flood(cloud, "flood", files)
        wrong = sorted(region for region, what in seen.items() if what != expected("flood", files))
    done = files * len(seen)
    print(json.dumps({"files": done, "files_per_second": round(done / seconds, 1), "regions_wrong": wrong}))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
