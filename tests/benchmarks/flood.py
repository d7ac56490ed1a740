"""Process thousands of small files in the three regions of the embedded AWS, and report the rate.

The rate is the embedded AWS's: it answers one request at a time, and runs as many functions as the machine
has processors. What a region of AWS holds is in docs/reliability.md, "Floods".
"""

import argparse
import json

from local.cloud import Cloud
from tests.local.flood import expected, flood


def main() -> None:
    """Flood, check and report as JSON."""
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
