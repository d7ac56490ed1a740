import codecs
import io
import json
import random

import pytest

from conversion import EmptyError, UnreadableError
from conversion.model import BLOCK_BYTES
from tests.conversion.support import refused, run

TABLE = [
    ("id", "name", "when"),
    ("1", "Ada", "2024-01-01"),
    ("2", "Bo", "2024-02-01"),
    ("3", "Cy", "2024-03-01"),
]


def written(delimiter=",", newline="\n", rows=TABLE):
    return "".join(delimiter.join(row) + newline for row in rows).encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end(delimiter, newline):
    converted = run(written(delimiter, newline))
    assert converted.rows == TABLE[1:]
    assert converted.types == {"id": "BIGINT", "name": "VARCHAR", "when": "DATE"}
    assert converted.result.format == "delimited"


def test_without_header():
    converted = run(written(rows=TABLE[1:]))
    assert converted.rows == TABLE[1:]
    assert list(converted.types) == ["column_1", "column_2", "column_3"]


def test_header_of_words_over_words():
    converted = run(b"city,country\nOslo,Norway\nLima,Peru\nRome,Italy\n")
    assert list(converted.types) == ["city", "country"]
    assert converted.account.rows_in == 3


def test_last_line_without_line_end():
    assert run(written()[:-1]).rows == TABLE[1:]


@pytest.mark.parametrize(
    "data",
    [
        b"id,name\r\n1,a\n2,b\r\n3,c\n",
        b"id,name\n1,a\r\n2,b\n3,c\r\n",
        b"id,name\n1,a\r2,b\r\n3,c",
        b"id,name\r\n1,a\r2,b\n3,c\r\n",
    ],
)
def test_mixed_line_ends(data):
    assert run(data).rows == [("1", "a"), ("2", "b"), ("3", "c")]


@pytest.mark.parametrize("key", ["data.csv", "data.txt"])
def test_mixed_line_ends_of_one_column(key):
    assert run(b"c1\r\nc2\rc3\nc4\r\nc5\n\rc6", key).rows[-1] == ("c6",)
    assert run(b"x\r\n1\r2\n3\r\n", key).rows[-3:] == [("1",), ("2",), ("3",)]


def test_a_carriage_return_in_a_field_of_lines_with_both_is_a_line_end():
    data = b"id,name\r\n" + b"1,a\r\n" * 20 + b"2,b\rc\n" + b"3,d\r\n"
    assert [reject["raw"] for reject in run(data).rejects] == ["c"]


@pytest.mark.parametrize("mark", [1, 2])
def test_a_byte_order_mark_in_the_first_row_is_text(mark):
    data = f"id,name\n{chr(0xFEFF) * mark}x1,a\n2,b\n"
    assert run(data.encode()).rows == [(chr(0xFEFF) * mark + "x1", "a"), ("2", "b")]


def test_most_rows_with_invalid_quoting_make_it_fail():
    """A reading without quotes, or with another delimiter, would publish what is damaged."""
    rows = [b'%d,"5" pipe",y\n' % i if i % 10 < 6 else b'%d,"ok",y\n' % i for i in range(100)]
    assert refused(b"id,name,x\n" + b"".join(rows)).reason.startswith("60 of 100 rows rejected")


def test_blank_lines_are_no_rows():
    converted = run(b"\n\nid,name\n1,a\n\n\n2,b\n\n")
    assert converted.rows == [("1", "a"), ("2", "b")]
    assert converted.account.rows_in == 2


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"\r\n\n\r"])
@pytest.mark.parametrize("name", [b"a", b'"a"', b'"a\n\nb"'])
def test_records_after_many_blank_lines_keep_their_place(end, blank, name):
    row = b"1," + name + end
    rows = b"id,name" + end + (row + blank) * 3 + blank * 100_000 + row
    converted = run(rows + blank + b"1" + end + blank, rejected_share_max=0.5)
    assert converted.account.rows_out == 4
    (reject,) = converted.rejects
    before = rows + blank
    assert (reject["record"], reject["byte_offset"]) == (5, len(before))
    assert reject["line"] == 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("name", "value"), [(b'"a\nb"', "a\nb"), (b"a\\,b", "a,b"), (b"a\\\nb", "a\nb"), (b"\\N", None)]
)
def test_a_row_that_is_not_text_among_blank_lines_keeps_its_place(end, name, value):
    row = "1,\u00e9".encode() + end + b"2," + name + end
    before = b"id,name" + end + row * 10 + end + row + end * 2
    converted = run(before + b"3,\xff" + end * 3 + row, rejected_share_max=0.5)
    assert converted.rows[-4:] == [("1", "\u00e9"), ("2", value)] * 2
    (reject,) = converted.rejects
    assert (reject["line"], reject["byte_offset"]) == (1 + before.count(b"\n"), len(before))
    assert (reject["record"], converted.account.rows_in) == (23, 25)


def test_one_column():
    converted = run(b"id\n1\n\n2\n3\n")
    assert converted.rows == [("1",), ("2",), ("3",)]
    assert converted.types == {"id": "BIGINT"}


def test_quoted_delimiters_line_ends_and_quotes():
    converted = run(b'id,note\n1,"a,b"\n2,"line\nend"\n3,"a ""quote"""\n4,"cr\r\nlf"\n')
    assert converted.rows == [("1", "a,b"), ("2", "line\nend"), ("3", 'a "quote"'), ("4", "cr\r\nlf")]


def test_quoted_line_ends_survive_mixed_ones():
    assert run(b'id,note\r\n1,"a\r\nb"\n2,"c\nd"\r\n').rows == [("1", "a\r\nb"), ("2", "c\nd")]


def test_a_quote_inside_an_unquoted_field_is_itself():
    assert run(b'id,size\n1,5" pipe\n2,"6"" pipe"\n').rows == [("1", '5" pipe'), ("2", '6" pipe')]


def test_a_space_before_a_quote_is_text_and_so_is_the_quote():
    data = b'id,note,more\n1, "abc", "5"\n2, "",  "two"\n3, "a""c",x\n4, "open,y\n5, "a" b,"q, "" "\n'
    assert run(data).rows == [
        ("1", ' "abc"', ' "5"'),
        ("2", ' ""', '  "two"'),
        ("3", ' "a""c"', "x"),
        ("4", ' "open', "y"),
        ("5", ' "a" b', 'q, " '),
    ]


def test_a_space_before_a_quote_inside_quotes_is_as_it_is():
    rows = [("1", 'a\n "b", "c'), ("2", "x")]
    data = b'id,note\n1,"a\n ""b"", ""c"\n2,x\n'
    assert run(data).rows == rows
    assert run(data + b'3, "z"\n').rows == [*rows, ("3", ' "z"')]


@pytest.mark.parametrize("count", [40, 40_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("spaces", [" ", "  "])
def test_spaces_before_quotes_are_no_part_of_the_values(count, end, spaces):
    rows = [f'{number},{spaces}"a,b ""{number}""{end}", x' for number in range(count)]
    odd = ['7, "b, c" d, x', 'id, "text, long", n', '8, "e, "" f", x', '9, "open, x', 'id,"text, long", n']
    converted = run(end.join(['id, "text, long", n', *rows, *odd, *rows, ""]).encode())
    assert [reject["raw"] for reject in converted.rejects] == [odd[0], odd[1], odd[3], odd[4]]
    expected = [(str(number), f'a,b "{number}"{end}', " x") for number in range(count)]
    assert converted.rows == [*expected, ("8", 'e, " f', " x"), *expected]


def test_quotes_that_quote_nothing():
    data = b"".join(b'%d\t"half open %d\n' % (i, i) for i in range(50))
    converted = run(data, "data.tsv")
    assert converted.rows == [(str(i), f'"half open {i}') for i in range(50)]


def test_single_quotes():
    assert run(b"id,note\n1,'a,b'\n2,'c'\n3,'it''s'\n").rows == [("1", "a,b"), ("2", "c"), ("3", "it's")]


def test_backslash_escapes():
    data = b"".join(b'%d,"say \\"%d\\", then"\n' % (i, i) for i in range(30))
    assert run(data).rows == [(str(i), f'say "{i}", then') for i in range(30)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("odd", [b'9, "x",y', b'9,"q"z,y', b'9,"q",y,z', b"", b"id,t,c", b'9,x",y'])
@pytest.mark.parametrize("rows", [1, 2001])
def test_a_line_end_in_an_earlier_field_of_a_cut_record_is_no_row(end, odd, rows):
    """Some record of 2,001 is cut by the end of a block, and the last one by the end of the file."""
    city = b"Oslo" * 40
    row = b'1,"a' + end + b'b",' + city
    converted = run(end.join([b"id,t,c", odd, *[row] * rows]) + end, rejected_share_max=0.5)
    assert converted.rows[-rows:] == [("1", "a" + end.decode() + "b", city.decode())] * rows
    assert converted.account.rows_rejected <= 1


@pytest.mark.parametrize("rows", [30, 40_001])
def test_an_escaped_line_end_in_an_earlier_field_of_a_cut_record_is_no_row(rows):
    assert run(b"1\ta\\\nb\tc\n" * rows, "a.tsv").rows == [("1", "a\nb", "c")] * rows


def test_a_block_that_ends_inside_an_escape_cuts_no_row():
    before = b"id,t\n" + b'1,"say \\"x\\""\n' * 100
    for size in range(BLOCK_BYTES - 22, BLOCK_BYTES + 2, 2):
        value = b"one\ntwo " + b"z" * (size - len(before))
        converted = run(before + b'7,"' + value + b'\\"q\\" end"\n8,"x"\n')
        assert converted.rows[-2:] == [("7", value.decode() + '"q" end'), ("8", "x")]


@pytest.mark.parametrize(
    ("end", "value"), [(b"C:\\dir\\", "C:\\dir\\"), (b"x\\\n", "x\n"), (b"x\\\\", "x\\"), (b"x\\\\\n", "x\\")]
)
def test_a_backslash_at_the_end_of_the_file(end, value):
    assert run(b"id,t\n1,a\\,b\n2,c\\,d\n3," + end).rows[-1] == ("3", value)


def test_lines_that_all_end_in_a_backslash_are_one_record():
    value = b"a\\\n" * 10_000
    converted = run(b"id,t\n" + b"1,\\N\n" * 10 + b"2," + value)
    assert converted.rows[-1] == ("2", "a\n" * 10_000)


def test_no_value_after_a_carriage_return():
    assert run(b"x\n1\r\\N\n2\n3\n").rows == [("1",), (None,), ("2",), ("3",)]


@pytest.mark.parametrize("rows", [400, 40_000])
def test_lines_within_values_count_whatever_ends_them(rows):
    data = b"id,t\n" + b'1,"a\rb"\n' * rows + b"x,y,z\n5,c\n"
    assert [reject["line"] for reject in run(data).rejects] == [2 + 2 * rows]


def test_an_escaped_line_end_is_no_row():
    converted = run(b"id,note\n" + b"1,a\\\nb\n" * 30)
    assert converted.rows == [("1", "a\nb")] * 30


def test_empty_field_is_null_and_quoted_empty_text_is_empty():
    assert run(b'id,note\n1,\n2,""\n3,x\n').rows == [("1", None), ("2", ""), ("3", "x")]


def test_spaces_are_kept():
    assert run(b"id,note\n1,  two\n2,two  \n").rows == [("1", "  two"), ("2", "two  ")]


def test_a_delimiter_inside_quotes_does_not_decide():
    converted = run(b'a;b\n"1,2,3,4";x\n"5,6,7,8";y\n')
    assert converted.rows == [("1,2,3,4", "x"), ("5,6,7,8", "y")]


@pytest.mark.parametrize(("first", "last"), [(5, 395), (5, 30_000), (20_000, 30_000)])
@pytest.mark.parametrize(
    ("begin", "end"), [('"{0},x,y', '{0},x,10"'), ('{0},"x,y', '{0},x,10"'), ('"{0},x,y', '{0},x,y",1')]
)
def test_a_quote_that_a_later_one_closes_costs_one_row(first, last, begin, end):
    rows = [f"{number},x,y" for number in range(40_000)]
    rows[first], rows[last] = begin.format(first), end.format(last)
    converted = run(("id,size,note\n" + "\n".join(rows) + "\n").encode())
    damaged = [first] if rows[last].count(",") == 2 else [first, last]
    assert [(reject["line"], reject["raw"]) for reject in converted.rejects] == [
        (number + 2, rows[number]) for number in damaged
    ]
    assert converted.account.rows_out == len(rows) - len(damaged)


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("", 'id,"name,size'),
        ("", '"19 rack,a,5\r'),
        ("Report of May\n\n", 'id,name,"size'),
        ("sep=,\n", '"id,name,size'),
    ],
)
def test_an_unclosed_quote_at_the_beginning_of_a_large_file_costs_one_line(before, first):
    rows = [f"{number},{'name' * 30} {number},{number}" for number in range(10_000)]
    converted = run("\n".join([before + first, *rows, ""]).encode())
    assert [reject["raw"] for reject in converted.rejects] == [first.strip()]
    assert converted.account.rows_out == len(rows)
    assert list(converted.types.values()) == ["BIGINT", "VARCHAR", "BIGINT"]


@pytest.mark.parametrize(("rows", "end"), [(5, b"\n"), (60_000, b"\r\n")])
@pytest.mark.parametrize(
    "text",
    [
        b'"%b"' % (b"a; b, c | d\n" * 120_000),
        b"a; b | c " * 150_000,
        b'"%b"' % (b"a, b\n" * 3_000_000),
        b'"%b"' % (b'a ""b"",\n' * 300_000),
    ],
    ids=["quoted", "in one line", "15 MB", "doubled quotes"],
)
def test_a_long_first_record_is_a_row(text, rows, end):
    others = b"".join(b"%d,name %d,%d%b" % (number, number, number, end) for number in range(rows))
    converted = run(b"%b,-1,5%b%b" % (text, end, others))
    assert converted.rejects == []
    assert converted.account.rows_out == rows + 1
    assert converted.types == {"column_1": "VARCHAR", "column_2": "VARCHAR", "column_3": "BIGINT"}
    value = text.strip(b'"').replace(b'""', b'"')
    assert converted.query("SELECT strlen(column_1) FROM data WHERE column_2 = '-1'") == [(len(value),)]


def test_a_long_first_record_may_have_a_delimiter_that_the_file_names():
    text = b"a^b^c\n" * 300_000
    converted = run(b'sep=^\n"%b"^5\n' % text + b"x^6\n" * 10)
    assert converted.rejects == []
    assert converted.query("SELECT count(*), max(strlen(column_1)) FROM data") == [(11, len(text))]


def test_lines_of_a_long_only_record_are_no_rows():
    text = b"a, b" * 30 + b"\n"
    text *= 10_000
    assert refused(b'1,"%b",3' % text).reason.startswith("1 of 1 rows rejected")
    converted = run(b'id,text,size\n1,"%b",3' % text)
    assert converted.query("SELECT id, strlen(text), size FROM data") == [(1, len(text), 3)]


@pytest.mark.parametrize("begin", [b"", b'"'])
def test_an_object_of_one_line_is_not_read_to_its_end(begin):
    data = io.BytesIO(begin + b"1,2," * 10_000_000)
    with pytest.raises(UnreadableError, match="longer than"):
        run(data.getvalue(), source=data)
    assert data.tell() < 20_000_000


def test_a_value_of_several_lines_in_a_row_of_another_width_is_one_reject():
    address = "Main St 5\n" + "Oslo, Norway\n" * 6 + "x, y"
    data = f'id,address\n1,"{address}",z\n' + "2,a\n" * 20
    converted = run(data.encode())
    assert [reject["reason"] for reject in converted.rejects] == ["3 fields where 2 are expected"]
    assert converted.account.rows_out == 20


def test_a_rejected_line_joins_no_carriage_return_with_a_blank_line():
    converted = run(b"a\r\x00\n\nb\n", "data.txt", rejected_share_max=0.5)
    assert converted.rows == [("a",), (None,), ("b",)]


@pytest.mark.parametrize(
    "data",
    [
        'id,name\n1,"a" \n2,"b" \n3,"c" \n',
        '"id" ,"name"\n"1" ,"a"\n"2" ,"b"\n',
        '"1","5" pipe"\n"2","6" pipe"\n',
        '"Pedro "the"\n"Pedro ""the"" legend"\n"Pedro "the"\n',
    ],
)
def test_text_after_quotes_is_broken_quoting(data):
    assert "broken quoting" in refused(data.encode()).reason


def test_backslashes_in_rows_that_begin_as_comments_do():
    data = 'tag,note\n#a,"x \\"y\\", z"\n#b,"p \\"q\\", r"\n'
    assert run(data.encode()).rows == [("#a", 'x "y", z'), ("#b", 'p "q", r')]


def test_rows_of_another_width_are_rejected():
    valid = b"".join(b"%d,x\n" % i for i in range(30))
    converted = run(b"id,note\n" + valid + b"30\n31,y,z\n" + b"32,ok\n")
    assert converted.account.rows_in == 33
    assert converted.rows[-1] == ("32", "ok")
    assert converted.rejects == [
        {"record": 31, "line": 32, "byte_offset": 8 + len(valid), "column": None,
         "reason": "1 fields where 2 are expected", "raw": "30"},
        {"record": 32, "line": 33, "byte_offset": 11 + len(valid), "column": None,
         "reason": "3 fields where 2 are expected", "raw": "31,y,z"},
    ]  # fmt: skip


def test_lines_before_the_header_are_named_and_no_rows():
    valid = b"".join(b"%d,%d.5\n" % (i, i) for i in range(40))
    converted = run(b"Report of May\n\nid,price\n" + valid)
    assert list(converted.types) == ["id", "price"]
    assert converted.rejects == []
    assert converted.profile["preamble"] == ["Report of May"]
    assert converted.account.rows_out == 40


def test_plain_text_is_one_column():
    converted = run(b"Dear all,\n\nthe numbers are 1, 2 and 3.\n12\n", "input/letter.txt")
    assert converted.result.format == "text"
    assert converted.types == {"line": "VARCHAR"}
    assert converted.rows == [("Dear all,",), (None,), ("the numbers are 1, 2 and 3.",), ("12",)]


def test_content_decides_before_the_name():
    assert run(written("\t"), "input/data.txt").rows == TABLE[1:]
    assert run(written(";"), "input/no-name").rows == TABLE[1:]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks(encoding):
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    text = "id,größe\n1,Ωmega\n2,naïve 🎉\n"
    converted = run(marks.get(encoding, b"") + text.encode(encoding))
    assert list(converted.types) == ["id", "größe"]
    assert converted.rows == [("1", "Ωmega"), ("2", "naïve 🎉")]
    assert converted.result.encoding.startswith(encoding.removesuffix("-sig"))


def test_utf_16_across_many_blocks():
    rows = "".join(f"{i},größe {i}\n" for i in range(120_000))
    converted = run(("id,name\n" + rows).encode("utf-16"))
    assert converted.account.rows_out == 120_000
    assert converted.query("SELECT name FROM data WHERE id = 119999") == [("größe 119999",)]


def test_damaged_utf_16_names_the_offset():
    assert (
        "byte 10" in refused(codecs.BOM_UTF16_LE + "a,b\n".encode("utf-16-le") + b"\x00\xdc\x00\x00").reason
    )


def test_windows_1252_is_the_fallback():
    converted = run("id,name\n1,Käse\n2,50 €\n3,x\n".encode("cp1252"))
    assert converted.rows == [("1", "Käse"), ("2", "50 €"), ("3", "x")]
    assert converted.result.encoding == "windows-1252"
    assert converted.metadata["encoding"] == "windows-1252"


def test_invalid_bytes_in_utf_8_are_rejected_one_row_at_a_time():
    valid = "".join(f"{i},größe\n" for i in range(40)).encode()
    converted = run(b"id,name\n" + valid + b"40,gr\xf6\xdfe\n41,nu\0l\n42,gut\n")
    assert converted.result.encoding == "utf-8"
    assert [(r["column"], r["reason"]) for r in converted.rejects] == [
        ("name", f"0xf6 is not text in UTF-8 at byte {8 + len(valid) + 5}"),
        ("name", f"a NUL byte at byte {8 + len(valid) + 14}"),
    ]
    assert converted.rejects[0]["raw_base64"] == "NDAsZ3L232U="
    assert converted.rows[-1] == ("42", "gut")


def test_bytes_that_are_no_text_name_the_offset():
    assert "byte 5" in refused(bytes(range(1, 6)) + bytes(1000) + b"\n" * 3, "data.bin").reason


def test_noise_names_its_first_byte_that_is_no_text_whatever_its_first_reject_is_rejected_for():
    # Control characters would be binary data.
    noise = b"id\n1,2\n" + random.Random(1).randbytes(100_000).translate(None, bytes(range(1, 10)))
    noise = noise.translate(None, bytes(range(11, 32)))
    reason = refused(noise).reason
    # It is read as windows-1252, which leaves five bytes undefined.
    text = noise.decode("cp1252", "surrogateescape")
    place = next(at for at, char in enumerate(text) if char == "\0" or "\udc80" <= char <= "\udcff")
    assert "; the first at line 2: 2 fields where 1 are expected; " in reason
    assert reason.endswith(f" at byte {len(text[:place].encode())}")


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a b,  c ,d", ["a b", "c", "d"]),
        ("id,id,ID", ["id", "id_2", "ID_3"]),
        ("id,id_2,id", ["id", "id_2", "id_3"]),
        (",x,", ["column_1", "x", "column_3"]),
        ("größe,日本,🎉", ["größe", "日本", "🎉"]),
        ("select,from,order", ["select", "from", "order"]),
        ('"a""b",\'c\',"d;\ne"', ['a"b', "'c'", "d; e"]),
    ],
)
def test_any_header(header, names):
    converted = run(f"{header}\n1,2,3\n4,5,6\n".encode())
    assert list(converted.types) == names
    assert converted.rows == [("1", "2", "3"), ("4", "5", "6")]
    sources = json.loads(converted.metadata["column_names"])
    assert list(sources) == names
    assert [column.source_name for column in converted.result.columns] == list(sources.values())


def test_a_thousand_columns():
    names = [f"c {i}" for i in range(1000)]
    rows = [[str(row * i) for i in range(1000)] for row in range(60)]
    data = "\n".join(",".join(row) for row in [names, *rows]).encode()
    converted = run(data)
    assert set(converted.types.values()) == {"BIGINT"}
    assert converted.rows == [tuple(row) for row in rows]


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"id,name\n", b"id,name"])
def test_nothing_in_it(data):
    with pytest.raises(EmptyError):
        run(data)


def test_a_record_longer_than_is_read():
    assert "longer than" in refused(b"id,note\n1,x\n2," + b"y" * 17 * 1024 * 1024 + b"\n").reason


@pytest.mark.parametrize("size", [760_000, 999_900, 1_040_000, 1_200_000])
@pytest.mark.parametrize("before", [0, 150_000])
@pytest.mark.parametrize("after", [b"", (b"3," + b"z" * 30 + b"\n") * 12_000])
def test_records_about_as_long_as_duckdbs_first_buffer(size, before, after):
    text = (b"y" * 99 + b"\n") * (size // 100)
    converted = run(b"id,note\n1," + b"x" * before + b'\n2,"' + text + b'"\n' + after)
    assert converted.query("SELECT strlen(note) FROM data WHERE id = 2") == [(len(text),)]


def test_records_of_ten_megabytes():
    long = b"y" * 10_000_000
    converted = run(b"id,note\n1,x\n2," + long + b"\n3,z\n")
    assert converted.query("SELECT id, strlen(note) FROM data") == [(1, 1), (2, len(long)), (3, 1)]
