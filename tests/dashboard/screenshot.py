"""docs/dashboard.png: a browser's picture of the deployed dashboard with the metrics of a local run.

`python -m tests.dashboard.screenshot` needs Chromium (`apt-get install chromium`), and fails if the browser
logs an error or leaves a widget out.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "dashboard.png"
REGION = "us-east-1"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
]
SIZE = "--window-size=1600,1680"


def main() -> None:
    """Draw the page, check it in the browser, and take the picture."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        sys.exit(f"no browser: install one of {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "dashboard.html"
        subprocess.run(
            [sys.executable, "-m", "tests.dashboard", "--region", REGION, "--output", str(page)],
            check=True,
        )
        seen = _run(browser, "--dump-dom", page.as_uri())
        titles = re.findall(r"<h2>(.*?)</h2>", page.read_text(encoding="utf-8"))
        missing = [title for title in titles if f"<h2>{title}</h2>" not in seen.stdout]
        if missing or "<svg" not in seen.stdout:
            sys.exit(f"the browser does not show {', '.join(missing) or 'any graph'}")
        if errors := [line for line in seen.stderr.splitlines() if "CONSOLE" in line or "ERR_" in line]:
            sys.exit(f"the browser complains: {errors[0]}")
        _run(browser, SIZE, f"--screenshot={PICTURE}", page.as_uri())
    print(f"{PICTURE}: {len(titles)} widgets")


def _run(browser: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [browser, *FLAGS, *arguments], check=True, capture_output=True, text=True, timeout=120
    )


if __name__ == "__main__":
    main()
