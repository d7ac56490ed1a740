"""Which messages are valid events: bodies as AWS writes them, and arbitrary JSON."""

import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import s3_events
from admission import Deployment
from s3_events import Kind, ObjectEvent, PoisonError
from tests.handler.deliveries import ACCOUNT, BUCKET, REGION, TEST_EVENT, deleted, eventbridge, notification

DEPLOYMENT = Deployment(
    bucket=BUCKET,
    region=REGION,
    account=ACCOUNT,
    upload_prefixes=(),
    system_prefixes=("processed/", "rejected/"),
)

KEYS = [
    "input/plain.csv",
    "a+b c.csv",
    "100%25 done.csv",
    "100%.csv",
    "données/日本語 🛫.csv",
    "quotes'\"`;--\n\t.csv",
    "../../etc/passwd",
    "folder/",
    "x" * 1024,
    "é" * 512,
]


@pytest.mark.parametrize("key", KEYS)
def test_eventbridge_carries_the_key_as_it_is(key: str) -> None:
    (created,) = s3_events.from_message(json.dumps(eventbridge(key, "v1")))
    assert created == ObjectEvent(
        kind=Kind.CREATED,
        bucket=BUCKET,
        key=key,
        region=REGION,
        account=ACCOUNT,
        version_id="v1",
        sequencer="0055AED6DCD90281E5",
        created_at=1794441600.0,
    )


@pytest.mark.parametrize("key", KEYS)
def test_a_classic_notification_carries_the_key_encoded(key: str) -> None:
    records = {"Records": [notification(key, "v1"), notification("other", None)]}
    first, second = s3_events.from_message(json.dumps(records))
    assert (first.key, first.version_id, first.account) == (key, "v1", None)
    assert (second.key, second.version_id) == ("other", None)


def test_the_predecessors_smallest_record_is_accepted() -> None:
    (created,) = s3_events.from_event(
        {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": "k"}}}]}
    )
    assert created == ObjectEvent(kind=Kind.CREATED, bucket=BUCKET, key="k")
    assert DEPLOYMENT.admits(created)


def test_s3s_test_event_has_no_object_event() -> None:
    assert s3_events.from_message(json.dumps(TEST_EVENT)) == ()


@pytest.mark.parametrize(
    ("how", "names", "kind"),
    [
        ({}, ["ObjectRemoved:DeleteMarkerCreated"], Kind.DELETED),
        ({"for_good": True}, ["ObjectRemoved:Delete", "s3:ObjectRemoved:Delete"], Kind.REMOVED),
        ({"by_lifecycle": True}, ["LifecycleExpiration:DeleteMarkerCreated"], Kind.EXPIRED),
        ({"by_lifecycle": True, "for_good": True}, ["LifecycleExpiration:Delete"], None),
    ],
)
def test_the_kind_of_a_deletion_depends_on_who_deleted_what(
    how: dict[str, Any], names: list[str], kind: Kind
) -> None:
    """A lifecycle rule permanently deletes only noncurrent versions and expired delete markers."""
    received = [events_of(deleted("k", "v1", **how))]
    received += [events_of({"Records": [notification("k", "v1", name=name)]}) for name in names]
    for events in received:
        assert [(event.kind, event.key, event.version_id) for event in events] == (
            [(kind, "k", "v1")] if kind else []
        )


def events_of(event: object) -> tuple[ObjectEvent, ...]:
    return s3_events.from_message(json.dumps(event))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bucket": "another-bucket"}, "bucket must be"),
        ({"region": "eu-west-1"}, "region must be"),
        ({"account": "210987654321"}, "account must be"),
    ],
)
def test_an_event_of_another_bucket_region_or_account_is_refused(changed: dict[str, str], said: str) -> None:
    with pytest.raises(PoisonError, match=said):
        DEPLOYMENT.admits(s3_events.from_event(eventbridge("k", **changed))[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["processed/a.parquet", "rejected/a.jsonl", "processed/_profiles/a.json"])
def test_the_systems_own_objects_are_not_processed(key: str) -> None:
    for event in (eventbridge, partial(deleted, version_id="v1")):
        assert not DEPLOYMENT.admits(s3_events.from_event(event(key))[0])
        assert DEPLOYMENT.admits(s3_events.from_event(event("input/" + key))[0])


def test_only_objects_under_the_upload_prefixes_are_processed() -> None:
    narrow = replace(DEPLOYMENT, upload_prefixes=("input/", "incoming/"))

    def admits(key: str) -> bool:
        return narrow.admits(s3_events.from_event(eventbridge(key))[0])

    assert [
        key for key in ("input/a", "incoming/a", "input", "other/a", "processed/input/a") if admits(key)
    ] == [
        "input/a",
        "incoming/a",
    ]


def _with(path: str, value: object) -> dict[str, Any]:
    event: Any = eventbridge("k", "v1")
    *holders, name = path.split("/")
    inner = event
    for holder in holders:
        inner = inner[holder]
    inner[name] = value
    return event


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "1" * 10_000,
        "null",
        "[]",
        "{}",
        '{"Records": []}',
        '{"Records": [1]}',
        json.dumps({"Records": [notification("k", name="ObjectRestore:Completed")]}),
        json.dumps({"Records": [{**notification("k"), "eventName": 7}]}),
        json.dumps({"Records": [{**notification("k"), "eventSource": "aws:sqs"}]}),
        json.dumps({"Records": [notification("k")]}).replace('"key": "k"', '"key": "%FF"'),
        *(
            json.dumps(_with(path, value))
            for path, value in [
                ("source", "my.app"),
                ("detail-type", "Object Restore Completed"),
                ("detail", None),
                ("detail/bucket/name", "Not A Bucket"),
                ("detail/object/key", ""),
                ("detail/object/key", "x" * 1025),
                ("detail/object/key", "é" * 513),
                ("detail/object/key", "\ud800"),
                ("detail/object/key", ["k"]),
                ("detail/object/sequencer", "not hex"),
                ("detail/object/sequencer", "0" * 65),
                ("detail/object/version-id", 7),
                ("detail/replay-id", "yesterday"),
                ("time", "yesterday"),
                ("account", None),
                ("region", {}),
            ]
        ),
    ],
)
def test_an_invalid_message_is_refused_with_a_reason(body: str) -> None:
    with pytest.raises(PoisonError) as refused:
        s3_events.from_message(body)
    assert 10 < len(str(refused.value)) < 300


def test_a_key_that_is_too_long_is_refused_with_its_length() -> None:
    with pytest.raises(PoisonError, match="1025"):
        s3_events.from_event(_with("detail/object/key", "x" * 1025))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_text = st.text(st.characters(), max_size=30)  # lone surrogates too
_likely = (
    _json | _text | st.sampled_from([BUCKET, REGION, ACCOUNT, "aws.s3", "aws:s3", "2026-11-12T00:00:00Z"])
)


@st.composite
def _distorted(draw: st.DrawFn) -> object:
    """Generate real events with some parts missing or replaced."""
    event: Any = draw(
        st.sampled_from(
            [
                eventbridge("a+b", "v1"),
                deleted("a+b", "v1"),
                {"Records": [notification("a+b", "v1")]},
                TEST_EVENT,
            ]
        )
    )
    event = json.loads(json.dumps(event))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = event
        while isinstance(holder, (dict, list)) and holder:
            name = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            inner = holder[name]
            if isinstance(inner, (dict, list)) and inner and draw(st.booleans()):
                holder = inner
                continue
            if isinstance(holder, dict) and draw(st.booleans()):
                del holder[name]
            else:
                holder[name] = draw(_likely)
            break
    return event


@settings(max_examples=800, deadline=None)
@given(_distorted() | _json)
def test_any_json_is_an_event_or_refused(event: object) -> None:
    try:
        created = s3_events.from_message(json.dumps(event))
        admitted = [each for each in created if DEPLOYMENT.admits(each)]
    except PoisonError:
        return
    for each in admitted:
        assert each.bucket == BUCKET
        assert not each.key.startswith(("processed/", "rejected/"))
        assert 0 < len(each.key.encode()) <= 1024
        assert each.region in (REGION, None)
        assert each.account in (ACCOUNT, None)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_any_text_is_an_event_or_refused(body: str) -> None:
    with suppress(PoisonError):
        s3_events.from_message(body)
