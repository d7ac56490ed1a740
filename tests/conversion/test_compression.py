"""Each compression: checksums, truncated streams, and decompression bombs."""

import bz2
import gzip
import io
import lzma

import pytest
from backports import zstd

from conversion import Limits, UnreadableError, largest_object_bytes
from conversion.budget import Budget
from conversion.source import Source
from tests.conversion.support import refused, run

ROWS = 5000
TABLE = b"id,name,price\n" + b"".join(b"%d,name %d,%d.25\n" % (i, i % 977, i) for i in range(ROWS))
COMPRESSORS = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
EACH = pytest.mark.parametrize("name", COMPRESSORS)


@pytest.mark.parametrize("size", [2, 3, 4, 9, 20])
def test_a_stream_that_is_cut_early_is_truncated(size):
    assert "truncated gzip" in refused(gzip.compress(b"id\n1\n")[:size], "a.csv.gz").reason


@EACH
def test_a_compressed_table(name):
    converted = run(COMPRESSORS[name](TABLE), f"data.csv.{name}")
    assert converted.account.rows_out == ROWS
    assert converted.account.bytes_decompressed == len(TABLE)
    assert converted.result.compression == name
    assert converted.metadata["compression"] == name


@EACH
def test_members_that_follow_one_another(name):
    compress = COMPRESSORS[name]
    middle = len(TABLE) // 2
    data = compress(TABLE[:middle]) + compress(b"") + compress(TABLE[middle:])
    assert run(data).account.rows_out == ROWS


@EACH
def test_every_truncation_is_noticed(name):
    data = COMPRESSORS[name](TABLE[:3000])
    for end in [*range(12, len(data), len(data) // 25), len(data) - 1]:
        assert f"truncated {name} stream: it ends at byte {end}" in refused(data[:end]).reason


@EACH
def test_a_second_member_that_is_cut(name):
    compress = COMPRESSORS[name]
    assert f"truncated {name} stream" in refused(compress(TABLE) + compress(TABLE)[:-5]).reason


@EACH
def test_a_damaged_checksum_is_noticed(name):
    data = bytearray(COMPRESSORS[name](TABLE))
    data[-6 if name != "xz" else -40] ^= 1
    assert f"damaged {name} stream" in refused(bytes(data)).reason


@EACH
def test_what_follows_that_is_no_member(name):
    assert f"damaged {name} stream" in refused(COMPRESSORS[name](TABLE) + b"some other bytes").reason


@EACH
@pytest.mark.parametrize("line", [b"1,2,3\n" * 3_000_000, bytes(18_000_000)])
def test_a_bomb(name, line):
    reason = refused(COMPRESSORS[name](line)).reason
    assert reason.startswith("decompresses to more than")


@pytest.mark.parametrize(("name", "share"), [("gzip", 1), ("xz", 1), ("zstd", 1), ("bzip2", 3)])
def test_what_is_slow_to_decompress_may_be_smaller(name, share, tmp_path):
    source = io.BytesIO(COMPRESSORS[name](TABLE))
    size, seconds = len(source.getvalue()), share * len(TABLE) / largest_object_bytes(1)

    def opened(budget: Budget) -> Source:
        source.seek(0)
        return Source(source, lambda: source, key="data", size=size, path=tmp_path / "data", budget=budget)

    enough = Budget(Limits(seconds=seconds * 1.01), tmp_path)
    too_little = Budget(Limits(seconds=seconds * 0.99), tmp_path)
    enough.check = too_little.check = lambda: None
    assert opened(enough).bytes_decompressed == len(TABLE)
    with pytest.raises(UnreadableError, match="too large for the time"):
        opened(too_little)


@EACH
def test_the_limit_on_bytes(name):
    data = COMPRESSORS[name](TABLE)
    assert "decompresses to more than 1000 bytes" in refused(data, decompressed_bytes_max=1000).reason


def test_zero_bytes_after_xz_are_its_padding():
    assert run(lzma.compress(TABLE) + bytes(8)).account.rows_out == ROWS


def test_xz_that_asks_for_more_memory_than_there_is():
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 512 * 1024 * 1024}]
    data = lzma.compress(TABLE, filters=filters)
    assert "needs more than 134217728 bytes of memory" in refused(data).reason


@EACH
def test_compressed_twice(name):
    data = gzip.compress(COMPRESSORS[name](TABLE))
    assert refused(data).reason == "unsupported format, by its first bytes: compressed twice"


@pytest.mark.parametrize("begin", [b"BZh", b"BZh9", b"BZh9 is a name"])
def test_text_that_begins_as_bzip2_does_is_text(begin):
    assert run(begin + b",value\nx,1\ny,2\n").rows == [("x", "1"), ("y", "2")]


def test_zstd_may_begin_with_a_skippable_frame():
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"\0\0\0\0"
    assert run(skippable + COMPRESSORS["zstd"](b"id\n1\n"), "a.csv.zst").rows == [("1",)]
