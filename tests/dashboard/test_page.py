"""`python -m tests.dashboard`: the deployed dashboard with the metrics of a run, as a page."""

import json
from datetime import timedelta
from html.parser import HTMLParser

from local.alarms import CloudWatch
from local.cloud import Cloud
from tests.dashboard.__main__ import draw

VOID = {"meta", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """The contents of a page; refuses unbalanced tags, scripts, and references to other files."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.polylines = 0
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe")
        assert not {"src", "href"} & {name for name, _ in attrs}
        self.polylines += tag == "polyline"
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.polylines += tag == "polyline"

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._open and self._open[-1] == "h2":
            self.titles.append(data)


def test_page_shows_the_deployed_dashboard_with_the_metrics_of_a_run(cloud: Cloud, region: str) -> None:
    key = "input/<drawn> & shown/unreadable.csv"
    cloud.upload(region, "input/drawn/table.csv", b"a,b\n1,2\n3,4\n")
    cloud.upload(region, key, bytes(range(256)))
    cloud.run_until_idle()
    CloudWatch(cloud.server).sample()

    page = Page(draw(cloud, region, timedelta(minutes=5)))
    cloudwatch = cloud.client("cloudwatch", region)
    name = f"analytics-monitoring-{region}-dev"
    body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    assert page.titles == [widget["properties"]["title"] for widget in body["widgets"]]
    text = "".join(page.text)
    for label in ("Completed: ", "Failed: ", "p99: ", "GB-seconds: ", "Ingested: ", "Waiting: "):
        shown = text[text.index(label) + len(label) :]
        assert not shown.startswith("no data"), label
    assert page.polylines >= 15
    assert key in page.text
    assert f"analytics-region-healthy-{region}-dev" in text
