"""A sample of public files, read by every engine. `python -m tests.readers` reads all of them."""

import pytest

from conversion import EmptyError, UnreadableError
from tests.readers.corpus import files
from tests.readers.published import difference, publish


@pytest.fixture(scope="session")
def published(folder):
    paths = {}
    for number, (name, data) in enumerate(files(every=20).items()):
        try:
            paths[name] = publish(data, folder / "corpus" / f"{number}.parquet", f"input/{name}")
        except (UnreadableError, EmptyError):
            continue
    return paths


def test_the_sample_is_not_small(published):
    assert len(published) > 40


def test_every_file_is_read_without_a_difference(engine, published):
    differences = {name: difference(engine, path) for name, path in published.items()}
    assert {name: text for name, text in differences.items() if text} == {}
