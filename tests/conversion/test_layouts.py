"""The layout of delimited text: dialect, titles, header, names and rows.

The tables imitate those of public collections: Pollock's polluted files (Vitagliano et al., "Pollock: A Data
Loading Benchmark", VLDB 2023), csv-spectrum, the W3C's tests of CSV on the Web, and DuckDB's data/csv. Others
are written as Excel, R, pandas, MySQL and TPC-H's dbgen write them.
"""

# ruff: noqa: E501 - a table a line

import csv
import io
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conversion import EmptyError
from conversion.delimited.evidence import Header
from conversion.delimited.layout import Layout, layout_of
from tests.conversion.support import refused, run

MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Table:
    """A file and its layout."""

    data: str
    header: Header
    names: str
    """The names, separated by spaces. A hyphen is a column without a name."""
    rows: list[list[str]]
    preamble: tuple[str, ...] = ()
    key: str = "data.csv"


NONE, TYPED, YEARS, ASSUMED = Header.NONE, Header.TYPED, Header.YEARS, Header.ASSUMED


def names_of(layout: Layout) -> str:
    return " ".join(name or "-" for name in layout.names)


def check(table: Table) -> Layout:
    layout = layout_of(table.data.encode(), table.key, whole=True)
    assert (layout.header, names_of(layout)) == (table.header, table.names)
    assert [list(row) for row in layout.sample] == table.rows
    assert layout.preamble == table.preamble
    return layout


HEADERS = {
    "a word over numbers": Table("id,name\n1,a\n2,b\n", TYPED, "id name", [["1", "a"], ["2", "b"]]),
    "decimals over decimals": Table(
        "0,0\n0.5,1.25\n1.0,2.50\n", NONE, "- -", [["0", "0"], ["0.5", "1.25"], ["1.0", "2.50"]]
    ),
    "an integer over decimals": Table("10,a\n20.5,b\n", NONE, "- -", [["10", "a"], ["20.5", "b"]]),
    "a date over dates": Table("2024-01-01,a\n2024-01-02,b\n", NONE, "- -", [["2024-01-01", "a"], ["2024-01-02", "b"]]),
    "a day over dates of another form": Table(
        "1.5.2024,a\n2024-01-02,b\n", NONE, "- -", [["1.5.2024", "a"], ["2024-01-02", "b"]]
    ),
    "null markers over numbers": Table("NA,-\n1,2\n3,4\n", NONE, "- -", [["NA", "-"], ["1", "2"], ["3", "4"]]),
    "an odd value over numbers": Table(
        "7,unknown\n8,5\n9,6\n", NONE, "- -", [["7", "unknown"], ["8", "5"], ["9", "6"]]
    ),
    "a number and a word over numbers": Table("7,see\n8,5\n9,6\n", NONE, "- -", [["7", "see"], ["8", "5"], ["9", "6"]]),
    "amounts over amounts": Table('"1,5";a\n"2,5";b\n', NONE, "- -", [["1,5", "a"], ["2,5", "b"]]),
    "a word over amounts": Table("preis;ort\n1.234,50;a\n2,5;b\n", TYPED, "preis ort", [["1.234,50", "a"], ["2,5", "b"]]),
    "years over counts": Table(
        "Region,2020,2021\nNorth,1,2\nSouth,3,4\n", YEARS, "Region 2020 2021", [["North", "1", "2"], ["South", "3", "4"]]
    ),
    "every fifth year, backwards": Table(
        "Region;2020;2015;2010\nNorth;1;2;3\n", YEARS, "Region 2020 2015 2010", [["North", "1", "2", "3"]]
    ),
    "years beside a typed column": Table(
        "id,2020,2021\n1,5,6\n2,7,8\n", TYPED, "id 2020 2021", [["1", "5", "6"], ["2", "7", "8"]]
    ),
    "years in unequal steps": Table(
        "Oslo,2020,2021,2030\nLima,1,2,3\n", NONE, "- - - -", [["Oslo", "2020", "2021", "2030"], ["Lima", "1", "2", "3"]]
    ),
    "years over years": Table("Ada,1990,1991\nBo,1980,1985\n", NONE, "- - -", [["Ada", "1990", "1991"], ["Bo", "1980", "1985"]]),
    "days beside typed columns": Table(
        "Country,Lat,1/22/20,1/23/20\nPeru,-9.1,0,1\nChad,15.4,0,2\n",
        TYPED,
        "Country Lat 1/22/20 1/23/20",
        [["Peru", "-9.1", "0", "1"], ["Chad", "15.4", "0", "2"]],
    ),
    "classes in order beside a typed column": Table("id,0,10,50\n1,4,5,6\n", TYPED, "id 0 10 50", [["1", "4", "5", "6"]]),
    "years beside names of the rows": Table(
        ",2020,2021\nOslo,5,6\nRome,7,8\n", YEARS, "- 2020 2021", [["Oslo", "5", "6"], ["Rome", "7", "8"]]
    ),
    "a row that lacks its value, over a word that is no name": Table(
        "Ann,\nBob,absent\n" + "Cyd,1\n" * 20, NONE, "- -", [["Ann", ""], ["Bob", "absent"], *[["Cyd", "1"]] * 20]
    ),
    "identifiers over identifiers": Table(
        "e8400abc-e29b-41d4-a716-446655440000,Ann\nf50e8400-e29b-41d4-a716-446655440001,Bob\n",
        NONE, "- -",
        [["e8400abc-e29b-41d4-a716-446655440000", "Ann"], ["f50e8400-e29b-41d4-a716-446655440001", "Bob"]],
    ),
    "hardware addresses over others": Table(
        "aa:bb:cc:00:11:22,Ann\nab:bb:cc:00:11:22,Bob\n",
        NONE, "- -", [["aa:bb:cc:00:11:22", "Ann"], ["ab:bb:cc:00:11:22", "Bob"]],
    ),
    "addresses over addresses": Table(
        "https://example.com/a,home\nhttps://example.org/b/c,about\nhttps://example.net,blog\n",
        NONE, "- -", [["https://example.com/a", "home"], ["https://example.org/b/c", "about"], ["https://example.net", "blog"]],
    ),
    "words over words": Table("city,land\nOslo,Norway\nLima,Peru\n", ASSUMED, "city land", [["Oslo", "Norway"], ["Lima", "Peru"]]),
    "words over codes": Table("ORCID,name\n0000-0001,a\n0000-0002,b\n", ASSUMED, "ORCID name", [["0000-0001", "a"], ["0000-0002", "b"]]),
    "a code over codes": Table("K1,a\nK2,b\nK3,c\n", NONE, "- -", [["K1", "a"], ["K2", "b"], ["K3", "c"]]),
    "a word that its column has again": Table("yes,a\nno,b\nyes,c\n", NONE, "- -", [["yes", "a"], ["no", "b"], ["yes", "c"]]),
    "a code with a space at its end over codes": Table("K-1 ,x\nK-2,y\nK-3,z\n", NONE, "- -", [["K-1 ", "x"], ["K-2", "y"], ["K-3", "z"]]),
    "a row that comes again as others do": Table(
        "red,apple\ngreen,pear\nred,apple\ngreen,pear\n", NONE, "- -", [["red", "apple"], ["green", "pear"]] * 2
    ),
    "a value of one column that comes again": Table("Oslo\nLima\nOslo\n", NONE, "-", [["Oslo"], ["Lima"], ["Oslo"]]),
    "names that come again, as in concatenated files": Table(
        "name,city\nAda,Oslo\nname,city\nBo,Lima\n", ASSUMED, "name city", [["Ada", "Oslo"], ["Bo", "Lima"]]
    ),
    "a value of a typed column over it": Table(
        "a,trace\n" + "b,5\n" * 30 + "c,trace\n", NONE, "- -", [["a", "trace"], *[["b", "5"]] * 30, ["c", "trace"]]
    ),
    "years beside a word that comes again": Table(
        "Oslo,2020,2021\nOslo,1,2\nLima,3,4\n", NONE, "- - -", [["Oslo", "2020", "2021"], ["Oslo", "1", "2"], ["Lima", "3", "4"]]
    ),
    "years beside a code over codes": Table(
        "R1,2020,2021\nR2,1,2\nR3,3,4\n", NONE, "- - -", [["R1", "2020", "2021"], ["R2", "1", "2"], ["R3", "3", "4"]]
    ),
    "years with a space at their end": Table(
        "Region,2020 ,2021 \nNorth,1,2\nSouth,3,4\n", YEARS, "Region 2020  2021 ", [["North", "1", "2"], ["South", "3", "4"]]
    ),
    "comments in a small table": Table(
        "x,y,z\n# one\n1,2,3\n# two\n4,5,6\n", TYPED, "x y z", [["1", "2", "3"], ["4", "5", "6"]]
    ),
    "elements that are written like null markers": Table(
        "Sample,Na,Mg\n1,13.6,4.5\n2,13.9,3.6\n", TYPED, "Sample Na Mg", [["1", "13.6", "4.5"], ["2", "13.9", "3.6"]]
    ),
    "one word of its column beside names of typed columns": Table(
        "id,age,treatment,month\n1,46,placebo,0\n2,28,treatment,0\n",
        TYPED, "id age treatment month", [["1", "46", "placebo", "0"], ["2", "28", "treatment", "0"]],
    ),
    "two words of their columns beside six names of typed columns": Table(
        "id,TSU,EQ,lat,lon,year,month,day\n1,,EQ,1.5,2.5,2010,1,2\n2,TSU,,1.5,2.5,2010,1,2\n",
        TYPED, "id TSU EQ lat lon year month day",
        [["1", "", "EQ", "1.5", "2.5", "2010", "1", "2"], ["2", "TSU", "", "1.5", "2.5", "2010", "1", "2"]],
    ),
    "two words of their columns beside five names of typed columns": Table(
        "id,TSU,EQ,lat,lon,year,month\n1,,EQ,1.5,2.5,2010,1\n2,TSU,,1.5,2.5,2010,1\n", NONE, "- - - - - - -",
        [["id", "TSU", "EQ", "lat", "lon", "year", "month"], ["1", "", "EQ", "1.5", "2.5", "2010", "1"], ["2", "TSU", "", "1.5", "2.5", "2010", "1"]],
    ),
    "one null marker beside names of typed columns": Table(
        "al,ca,NA,mg\n1,2,3,4\n5,6,7,8\n", TYPED, "al ca NA mg", [["1", "2", "3", "4"], ["5", "6", "7", "8"]]
    ),
    "one word of its column beside two errors": Table(
        "Oslo,offline,broken\nOslo,1,2\nLima,3,4\n",
        NONE, "- - -", [["Oslo", "offline", "broken"], ["Oslo", "1", "2"], ["Lima", "3", "4"]],
    ),
    "a null sign beside three errors": Table(
        "late,off,low,-\n1,2,3,4\n5,6,7,8\n", NONE, "- - - -", [["late", "off", "low", "-"], ["1", "2", "3", "4"], ["5", "6", "7", "8"]]
    ),
    "a code over codes of which half have its form": Table(
        "Nord 262,ND2\nAirbus A300,AB3\nAirbus A310,310\nBoeing 707,B72\n",
        NONE, "- -", [["Nord 262", "ND2"], ["Airbus A300", "AB3"], ["Airbus A310", "310"], ["Boeing 707", "B72"]],
    ),
    "the same word twice": Table("x,x\na,b\n", NONE, "- -", [["x", "x"], ["a", "b"]]),
    "an empty cell over text": Table("x,\na,b\nc,d\n", NONE, "- -", [["x", ""], ["a", "b"], ["c", "d"]]),
    "what is no name": Table("bob@x.org,a\nada@x.org,b\n", NONE, "- -", [["bob@x.org", "a"], ["ada@x.org", "b"]]),
    "a sentence": Table('"Well, no!",a\nyes,b\n', NONE, "- -", [["Well, no!", "a"], ["yes", "b"]]),
    "codes beside null markers": Table(
        "K0,a b\nK1,x\nNA,y\nNA,z\n", NONE, "- -", [["K0", "a b"], ["K1", "x"], ["NA", "y"], ["NA", "z"]]
    ),
    "years over nothing": Table("x,2019,2020\na,,\nb,,\n", YEARS, "x 2019 2020", [["a", "", ""], ["b", "", ""]]),
    "years over some years": Table(
        "x,2019,2020\na,5,6\nb,2021,7\n", YEARS, "x 2019 2020", [["a", "5", "6"], ["b", "2021", "7"]]
    ),
    "days over days beside a name": Table(
        "id,2024-01-01,2024-01-02,2024-01-03\n1,2024-02-01,2024-02-02,2024-02-03\n", NONE, "- - - -",
        [["id", "2024-01-01", "2024-01-02", "2024-01-03"], ["1", "2024-02-01", "2024-02-02", "2024-02-03"]],
    ),
    "the same year twice": Table("x,2019,2019\na,5,6\n", NONE, "- - -", [["x", "2019", "2019"], ["a", "5", "6"]]),
    "a measure beside years": Table(
        "5 kg,2019,2020\na,5,6\n", NONE, "- - -", [["5 kg", "2019", "2020"], ["a", "5", "6"]]
    ),
    "a boolean beside names of typed columns": Table(
        "true,name,city,n\ntrue,2,3,4\nfalse,6,7,8\n", NONE, "- - - -",
        [["true", "name", "city", "n"], ["true", "2", "3", "4"], ["false", "6", "7", "8"]],
    ),
    "names with vowel signs": Table(
        "\u0928\u093e\u092e,\u0936\u0939\u0930\nx,y\nz,w\n", ASSUMED, "\u0928\u093e\u092e \u0936\u0939\u0930", [["x", "y"], ["z", "w"]]
    ),
    "a header alone": Table("id,name\n", ASSUMED, "id name", []),
    "one column of numbers": Table("id\n1\n2\n", TYPED, "id", [["1"], ["2"]]),
    "one column of numbers without a header": Table("1\n2\n", NONE, "-", [["1"], ["2"]]),
    "one column of text": Table("name\nAda\nBo\n", ASSUMED, "name", [["Ada"], ["Bo"]]),
}  # fmt: skip


ROWS_ONLY = {
    "a short row over rows of numbers": "Ann,absent\nBob,5,red\nCyd,6,blue\n",
    "a row of one value in two columns": "Ann Smith,\nBob Lee,Oslo\nCyd Fox,Rome\n",
    "a value that begins as a comment does": "Ann,Oslo,#ops\nBob,Rome,dev\nCyd,Bonn,qa\n",
    "a comment alone": "#a,b\n",
    "a word above numbers of tickets": "draft,b@x.org\n12-INV-2024,a@x.org\n13-INV-2024,c@x.org\n",
    "a word above titles of films": "Alien,b@x.org\n12 Monkeys 1995,a@x.org\n8 Mile 2002,c@x.org\n",
    "rows of one value": "Ann Smith,,\nBob Jones,,\nCyd Lee,Oslo,Norway\nDan Ray,Rome,Italy\n",
    "a row of one value like that of the next": "New York,,\nLos Angeles,CA,West\nChicago,IL,Mid\n",
    "a row of one value that is not the first": ",Ann Smith,\nx,Cyd Lee,Norway\ny,Dan Ray,Italy\n",
    "two names of four, padded": "name,score,,\nAnn,absent,red,x\n" + "Bob,5,blue,y\nCyd,6,blue,y\n" * 10,
    "a row that begins as a comment does": "#sunset,12\nbeach,5\nfood,6\n",
    "two rows that begin as comments do": "#sunset,Ann\n#beach,Bob\nfood,Cyd\nzoo,Dan\n",
    "a state that comes again": "pump,idle\nfan,20.5\n" * 3,
    "a state of one column that comes again": "off\n5.5\n" * 3,
    **{
        f"{value} over numbers": f"a,{value},x\nb,5.5,y\nc,6.5,z\n"
        for value in (
            *(" NULL", " #N/A", "null ", "\\N ", "Infinity", "-Infinity", "\u221e", "1.#QNAN", "<LOD", "BDL"),
            *("\u20ac -", "n/a*", "N/A (1)", ": c", "not reported"),
        )
    },
    **{
        f"{day} over days": f"{day},a\n2 {day.split()[1]} 2024,b\n3 mars 2024,c\n"
        for day in ("1er mars 2024", "1st January 2024", "31 enero 2024", "31 ao\u00fbt 2024", "28. februar 2024")
    },
}  # fmt: skip


@pytest.mark.parametrize("data", ROWS_ONLY.values(), ids=ROWS_ONLY)
def test_rows_that_look_like_a_header_or_a_title_stay_rows(data):
    layout = layout_of(data.encode(), "data.csv", whole=True)
    width = layout.dialect.width
    assert (layout.header, layout.preamble, layout.body_line) == (NONE, (), 1)
    assert len(layout.sample) == sum(line.count(",") == width - 1 for line in data.splitlines())


IN_COMMENTS = {
    "#first,last\nAnn,Smith\nBob,Jones\n": ("#first", "last"),
    "##version 1\n#organism\tgroup\nHomo sapiens\tmammal\nGallus gallus\tbird\n": ("#organism", "group"),
    "#name;city\r\n\r\nAnn;Oslo\r\nBob;Rome\r\n": ("#name", "city"),
    "#gene,symbol\nG1,abc\n": ("#gene", "symbol"),
}


@pytest.mark.parametrize(("data", "names"), IN_COMMENTS.items())
def test_a_comment_may_name_columns_of_text(data, names):
    layout = layout_of(data.encode(), "data.tsv", whole=True)
    assert (layout.header, layout.names) == (ASSUMED, names)


NAMED = {
    **{
        f"{title!r} above a header": (f"{title}\nname,score\noslo,5\nrome,6\n", TYPED, "name score")
        for title in ("Report", "[Data]", "2024", "data.csv", '"Report"', "Report,,")
    },
    "quarters": ("Region;1. Quartal 2024;2. Quartal 2024\na;5;6\nb;7;8\n", TYPED, "Region 1. Quartal 2024 2. Quartal 2024"),
    "R's names in quotes above an empty cell": ('"a","b"\n"r1","x",5\n"r2","y",\n', TYPED, "- a b"),
    "R's names above text": ("a,b,c\nr1,21,6,x\nr2,22,4,y\n", TYPED, "- a b c"),
    "a copyright in a comment": ("# Copyright 2024,ACME\nname,city\nBob,Rome\nCyd,Bonn\n", ASSUMED, "name city"),
    "a padded comment": ("# by x,,\nname,city,land\nBob,Rome,Italy\nCyd,Bonn,Germany\n", ASSUMED, "name city land"),
    "a comment above one column": ("#exported\nname\nAnn\nBob\n", ASSUMED, "name"),
    "a comment with the header below a word": ("export\n#chrom\tstart\nchr1\t5\nchr2\t6\n", TYPED, "#chrom start"),
    "a padded title and a blank line": ("My Report,,\n\nname,city,x\nAnn Lee,Rome,a\nBob Ray,Bonn,b\n", ASSUMED, "name city x"),
    "a padded title above full names": ("My Report,,\nname,city,x\nAnn Lee,Rome,a\nBob Ray,Bonn,b\n", ASSUMED, "name city x"),
    "letters in parentheses": ("item,(A),(B)\nx,2,3\ny,5,6\n", TYPED, "item (A) (B)"),
    "words of a laboratory": ("site,tested,not tested\nx,1,2\ny,3,4\n", TYPED, "site tested not tested"),
    "quotes around words": ('id\ttext\tx\n1\t"Hi" there\t"ok"\n2\t"Yo" he\tz\n3\t"A" b\tq\n', TYPED, "id text x"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "header", "names"), NAMED.values(), ids=NAMED)
def test_a_header_below_titles_and_comments_is_found(data, header, names):
    layout = layout_of(data.encode(), "data.csv", whole=True)
    assert (layout.header, " ".join(name or "-" for name in layout.names)) == (header, names)


@pytest.mark.parametrize("table", HEADERS.values(), ids=HEADERS)
def test_a_header_is_one_on_evidence(table):
    check(table)


UNREADABLE = {
    "an open quote": '"id,name,city\nr1,n1,c1\nr2,n2,c2\n',
    "text after quotes": '"id"x,name,city\nr1,n1,c1\nr2,n2,c2\n',
    "a NUL byte": "id,na\0me,city\nr1,n1,c1\nr2,n2,c2\n",
    "a delimiter less": "idname,city\nOslo,is in,Norway\nLima,is in,Peru\nBonn,is in,Germany\n",
    "a delimiter more": "id,name,city,x\nOslo,is,Norway\nLima,was,Peru\n",
    "another delimiter": "id;name;city\nOslo,is,Norway\nLima,was,Peru\n",
    "no delimiters": "idname\nOslo,Norway\nLima,Peru\n",
    "spaces as delimiters": "id name city\nr1,n1,c1\nr2,n2,c2\n",
    "an open quote below a title": 'Sales of May\n"id,name,city\nr1,n1,c1\nr2,n2,c2\n',
    "numbers": '"id,name\n1,2\n3,4\n',
    "a delimiter in a name, over a word that is no name": "id,score, max\nAnn,absent\nBob,12\nCyd,15\n",
    "a name less, over a word that is no name": "id,score\nAnn,absent,\nBob,5,x\nCyd,6,\n",
    "two names of five": "id,score\nAnn,absent,red,,\nBob,5,blue,,\n",
    "quotes around all names": '"id,score,team"\nAnn,absent,red\nBob,5,blue\n',
    "a value without a name in some rows": "id,price\nA1,5.00,\nB2,6.00,sale\nC3,7.00,\n",
    "a value without a name in each row": "id,note\n2024-01-01,Shop,5\n2024-01-02,Cafe,6\n",
    "a value without a name beside numbers of rows": "id,city\n1,Ann,ok\n2,Bob,late\n",
    "a value without a name beside rising numbers": "id,price\n1,Ann,5.00\n3,Bob,6.00\n",
    "a value without a name beside other rising numbers": "id,score,age\n101,5,6,ok\n103,7,8,late\n",
    "a delimiter less, over a word that is no name": (
        "id;score;city\nAnn;absent;Rome;x\nBob;12;Oslo;y\nCyd;15;Bonn;y\n"
    ),
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_what_follows_a_first_line_that_cannot_be_read_is_no_header(data):
    layout = layout_of(data.encode(), "data.csv", whole=True)
    assert layout.header is NONE
    lines = data.splitlines()
    assert layout.body_line == 1 + lines.index(next(line for line in lines if "id" in line))
    assert len(layout.sample) == sum("id" not in line for line in lines) - len(layout.preamble)


def test_blank_lines_between_all_records_do_not_make_a_title_of_the_first():
    layout = layout_of(b"idname\n\nOslo,Norway\n\nLima,Peru\n", "data.csv", whole=True)
    assert (layout.header, layout.preamble, len(layout.sample)) == (NONE, (), 2)


NO_NAMES = (
    *(
        "NaT",
        "NAN",
        "-NaN",
        "NONE",
        "nil",
        "INF",
        "(null)",
        "<NA>",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NV",
        "n.d.",
    ),
    *(
        "na",
        "nul",
        "[null]",
        "(empty)",
        "$null$",
        "no data",
        "Not Applicable",
        "keine Angabe",
        "#DIV/0",
        "#N/V",
    ),
    *("#\u00a1DIV/0!", "#ERROR!", "#NAME?", "R$ 500", "CZK 500", "Rs. 500"),
    *(
        "\u2014",
        "\u2026",
        "12k",
        "5 kg",
        "1.5 ms",
        "5 kr",
        "US$5",
        "2020p",
        "3 PM",
        "1O",
        "M\u00e4rz 2024",
        "5. Mai 2024",
    ),
    *("04/Jan/2024:10:00:00 +0000", "2024-01-01T00:00:00Z[UTC]"),
)


@pytest.mark.parametrize("column", [["1", "2", "3"], ["2024-01-01", "2024-01-02", "2024-01-03"]])
@pytest.mark.parametrize("cell", NO_NAMES)
def test_a_missing_value_or_a_measure_over_a_typed_column_is_no_name(cell, column):
    data = "\n".join(f"{value},e{number}" for number, value in enumerate([cell, *column]))
    assert layout_of(data.encode(), "data.csv", whole=True).header is NONE


@pytest.mark.parametrize(
    "cell", ["2019 Revenue", "90th percentile", "Q1", "x1", "no", "h", "price ($)", "Nano", "mean"]
)
def test_a_word_over_a_typed_column_is_a_name(cell):
    assert layout_of(f"{cell},e0\n1,e1\n2,e2\n".encode(), "data.csv", whole=True).header is TYPED


TEXT_HEADERS = (
    *(
        "Nom;Lieu d'origine",
        "Customer\u2019s name;City",
        "Active?;Name",
        "name*;city*",
        "@type;@id",
        "[ID];[NAME]",
    ),
    *("<ID>;<NAME>", "$id;$name", "\u0928\u093e\u092e;\u0936\u0939\u0930", "Pre\u0301nom;Ville"),
)


@pytest.mark.parametrize("header", TEXT_HEADERS)
def test_signs_that_people_use_in_names(header):
    layout = layout_of(f"{header}\na;b\nc;d\n".encode(), "data.csv", whole=True)
    assert (layout.header, layout.names) == (ASSUMED, tuple(header.split(";")))


def test_a_number_sign_is_the_name_of_a_numbered_column():
    layout = layout_of(b"#,Name,Points\n1,Ann,30\n2,Bo,20\n", "data.csv", whole=True)
    assert (layout.header, layout.names) == (TYPED, ("#", "Name", "Points"))


@pytest.mark.parametrize(
    "label",
    [
        "freq,unit,geo\\TIME_PERIOD",
        "ODA received, total (constant 2010 US$)",
        "Poverty headcount ratio at rural poverty line (% of rural population)",
        "Desalinated water produced (10^9 m3/yr)",
    ],
)
def test_a_label_beside_years_is_a_line_that_begins_as_a_name_does(label):
    """Eurostat and Gapminder write such tables."""
    data = f"{label}\t1960\t1961\nChad\t1\t2\nPeru\t3\t4\n"
    assert layout_of(data.encode(), "data.tsv", whole=True).header is YEARS


@pytest.mark.parametrize("label", ["(10^9 m3/yr)", '"Energy\nper capita"', "x" * 256, "Chad"])
def test_other_text_beside_years_is_no_label(label):
    data = f"{label}\t1960\t1961\nChad\t1\t2\nPeru\t3\t4\n"
    assert layout_of(data.encode(), "data.tsv", whole=True).header is NONE


@pytest.mark.parametrize("first", ["city0,land0", '"city0","x"', "city7,land7", "Oslo,land0"])
def test_a_first_row_that_lacks_a_field_is_no_header(first):
    rows = "".join(f"city{number},land{number},{number}\n" for number in range(1, 40))
    converted = run(f"{first}\n{rows}".encode())
    assert [reject["line"] for reject in converted.rejects] == [1]
    assert list(converted.types) == ["column_1", "column_2", "column_3"]


def test_many_lines_of_another_width_before_a_header_are_no_titles():
    """They may be the rows of another file."""
    before = "".join(f"{number},n{number}\n" for number in range(11))
    rows = "".join(f"{number},n{number},c{number}\n" for number in range(20))
    layout = layout_of(f"{before}id,name,city\n{rows}".encode(), "data.csv", whole=True)
    assert (layout.header, layout.body_line, layout.preamble) == (NONE, 1, ())


@pytest.mark.parametrize("count", [10, 11])
def test_more_than_ten_titles_without_a_header_are_rejected_rows(count):
    """They may be rows, as in a list of places of which only some have a state."""
    titles = "".join(f"North {number} Coast\n" for number in range(count))
    rows = "".join(f"Ada {number} County,ID\n" for number in range(200))
    converted = run((titles + rows).encode())
    assert converted.account.rows_rejected == (count if count > 10 else 0)
    assert converted.account.rows_out == 200


@pytest.mark.parametrize(("count", "first"), [(9, "Month"), (10, "Country")])
def test_more_than_ten_padded_lines_of_two_values_are_rows(count, first):
    """They may be the rows of another table, and the first of them its header."""
    pairs = "".join(f"Land{number},{number},,,\n" for number in range(count))
    days = "".join(f"2024-01-{day},1,2,3,4\n" for day in range(10, 32))
    data = f"Country,Share,,,\n{pairs}Month,Open,High,Low,Close\n{days}"
    layout = layout_of(data.encode(), "data.csv", whole=True)
    assert layout.names[0] == first
    assert len(layout.preamble) == (1 + count if first == "Month" else 0)


def test_any_keys_and_values_before_a_header_are_no_rows():
    """NREL's PVWatts writes sixteen."""
    keys = "".join(f"Key {number}:,{number},,,\n" for number in range(16))
    data = f"{keys}Month,Day,Hour,Beam,Power\n1,1,0,0.5,0\n1,1,1,0.75,0\n"
    layout = layout_of(data.encode(), "data.csv", whole=True)
    assert (layout.header_line, len(layout.preamble)) == (17, 16)


def test_bytes_that_are_no_text_in_the_first_line_make_it_unreadable():
    data = "id,größe,ort\nr1,n1,c1\nr2,n2,c2\n".encode("cp1252")
    layout = layout_of(data, "data.csv", whole=True)
    assert (layout.header, layout.body_line, len(layout.sample)) == (NONE, 1, 2)


ROWS = [["North", "10", "1.50"], ["South", "20", "2.50"]]
AROUND = {
    "padded titles": Table(
        "Sales report,,\nGenerated 2024-01-31,,\n,,\nregion,units,amount\nNorth,10,1.50\nSouth,20,2.50\n",
        TYPED, "region units amount", ROWS, ("Sales report,,", "Generated 2024-01-31,,", ",,"),
    ),
    "titles": Table(
        "Sales report\nGenerated 2024-01-31\n\nregion,units,amount\nNorth,10,1.50\nSouth,20,2.50\n",
        TYPED, "region units amount", ROWS, ("Sales report", "Generated 2024-01-31"),
    ),
    "one word for a title, with a blank line below it": Table(
        "Staff\n\nname,city\nAda,Oslo\nBo,Lima\n",
        ASSUMED, "name city", [["Ada", "Oslo"], ["Bo", "Lima"]], ("Staff",),
    ),
    "one word for a title": Table(
        "Sales\nregion,units,amount\nNorth,10,1.50\nSouth,20,2.50\n", TYPED, "region units amount", ROWS, ("Sales",)
    ),
    "titles with delimiters": Table(
        "Source,Ministry\nUpdated,2024,May,31\nregion,units,amount\nNorth,10,1.50\nSouth,20,2.50\n",
        TYPED, "region units amount", ROWS, ("Source,Ministry", "Updated,2024,May,31"),
    ),
    "keys and values": Table(
        "Site:,Lisbon,,\nLat:,39.7,,\nMonth,Day,Hour,Beam\n1,1,5,0.5\n1,1,6,1.5\n",
        TYPED, "Month Day Hour Beam", [["1", "1", "5", "0.5"], ["1", "1", "6", "1.5"]],
        ("Site:,Lisbon,,", "Lat:,39.7,,"),
    ),
    "names of groups of columns": Table(
        "Survey of May,,,,,\n,,Men,,Women,\nTeam,Total,Yes,No,Yes,No\nA,9,1,2,3,3\nB,8,1,2,2,3\n",
        TYPED, "Team Total Yes No Yes No", [["A", "9", "1", "2", "3", "3"], ["B", "8", "1", "2", "2", "3"]],
        ("Survey of May,,,,,", ",,Men,,Women,"),
    ),
    "numbers and their labels above another table": Table(
        "Value,Label,,,\n5.50,Rent,,,\nMonth,Open,High,Low,Close\nMay,1,2,3,4\nJune,2,3,4,5\n", NONE, "- - - - -",
        [
            ["Value", "Label", "", "", ""], ["5.50", "Rent", "", "", ""], ["Month", "Open", "High", "Low", "Close"],
            ["May", "1", "2", "3", "4"], ["June", "2", "3", "4", "5"],
        ],
    ),
    "names of groups of columns alone": Table(
        ",,Men,,Women,\nA,9,1,2,3,3\nB,8,1,2,2,3\n",
        TYPED, "- - Men - Women -", [["A", "9", "1", "2", "3", "3"], ["B", "8", "1", "2", "2", "3"]],
    ),
    "names beside columns without values": Table(
        "city,land,river,,,\nOslo,Norway,Akerselva,,,\nRome,Italy,Tiber,,,\n", ASSUMED, "city land river - - -",
        [["Oslo", "Norway", "Akerselva", "", "", ""], ["Rome", "Italy", "Tiber", "", "", ""]],
    ),
    "years beside columns without values": Table(
        "Region,2020,2021,,,\nNorth,1,2,,,\nSouth,3,4,,,\n", YEARS, "Region 2020 2021 - - -",
        [["North", "1", "2", "", "", ""], ["South", "3", "4", "", "", ""]],
    ),
    "a header that names two columns of four": Table(
        "id,name,,\n1,a,5,6\n2,b,6,7\n", TYPED, "id name - -", [["1", "a", "5", "6"], ["2", "b", "6", "7"]]
    ),
    "two values of four over text": Table(
        "two words,x,,\na,b,c,d\ne,f,g,h\n",
        NONE, "- - - -", [["two words", "x", "", ""], ["a", "b", "c", "d"], ["e", "f", "g", "h"]],
    ),
    "titles over text": Table(
        "Sales report,,\nregion,city,seller\nNorth,Oslo,Ada\nSouth,Lima,Bo\n",
        ASSUMED, "region city seller", [["North", "Oslo", "Ada"], ["South", "Lima", "Bo"]], ("Sales report,,",),
    ),
    "titles over numbers": Table(
        "Readings of May\n\n1,2.5\n2,3.5\n", NONE, "- -", [["1", "2.5"], ["2", "3.5"]], ("Readings of May",)
    ),
    "titles over one column": Table(
        "Prices of May\nin euros\nprice\n1.50\n2.50\n", TYPED, "price", [["1.50"], ["2.50"]], ("Prices of May", "in euros")
    ),
    "comments": Table(
        "# made by x, version 1\n# on 2024-01-31\nid,name\n1,a\n2,b\n",
        TYPED, "id name", [["1", "a"], ["2", "b"]], ("# made by x, version 1", "# on 2024-01-31"),
    ),
    "the header in a comment": Table(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\n1\t100\trs1\n1\t200\trs2\n",
        TYPED, "#CHROM POS ID", [["1", "100", "rs1"], ["1", "200", "rs2"]], ("##fileformat=VCFv4.2",), "data.vcf",
    ),
    "a comment with the table's width": Table(
        "# AUD,CNY (in this order)\n# Source: ECB\n1.61,7.79\n# checked\n1.62,7.80\n",
        NONE, "- -", [["1.61", "7.79"], ["1.62", "7.80"]], ("# AUD,CNY (in this order)", "# Source: ECB"),
    ),
    "rows that begin as comments do, below a comment": Table(
        "# Tags, and, counts\n#sunset,12\nbeach,5\n#zoo,6\n",
        NONE, "- -", [["#sunset", "12"], ["beach", "5"], ["#zoo", "6"]], ("# Tags, and, counts",),
    ),
    "comments with delimiters": Table(
        "# of us, them, and others; 2020\n# again, with commas\n# and, again\nid;name\n1;a\n2;b\n",
        TYPED, "id name", [["1", "a"], ["2", "b"]],
        ("# of us, them, and others; 2020", "# again, with commas", "# and, again"),
    ),
    "more comments with delimiters than rows": Table(
        "".join(f"# note {n}: a, b and c\n" for n in range(60)) + "id\tname\n1\ta\n2\tb\n",
        TYPED, "id name", [["1", "a"], ["2", "b"]], tuple(f"# note {n}: a, b and c" for n in range(60)),
    ),
    "values that begin as comments do": Table(
        "#fff,white\n#000,black\n", NONE, "- -", [["#fff", "white"], ["#000", "black"]]
    ),
    "annotations": Table(
        "#\tpublisher\tCity of Palo Alto\n#name\tGID\ton_street\n\tGID\tOn Street\n\t1\tADDISON AV\n\t2\tEMERSON ST\n",
        TYPED, "- GID On Street", [["", "1", "ADDISON AV"], ["", "2", "EMERSON ST"]],
        ("#\tpublisher\tCity of Palo Alto", "#name\tGID\ton_street"), "data.tsv",
    ),
    "Excel's separator": Table("sep=;\nid;name\n1;a,b\n", TYPED, "id name", [["1", "a,b"]], ("sep=;",), "export.txt"),
    "Excel's separator that is no other's": Table("sep=^\r\nid^name\r\n1^a;b\r\n", TYPED, "id name", [["1", "a;b"]], ("sep=^",)),
    "a delimiter at the end of each row": Table(
        "code;name\nK0;n0;\nK1;n1;\n", ASSUMED, "code name -", [["K0", "n0", ""], ["K1", "n1", ""]]
    ),
    "delimiters at the end of each row": Table(
        "id,name\n1,n0,,,\n2,n1,,,\n", TYPED, "id name - - -", [["1", "n0", "", "", ""], ["2", "n1", "", "", ""]]
    ),
    "a delimiter at the end of each line": Table(
        "id;name;\n1;n0;\n2;n1;\n", TYPED, "id name -", [["1", "n0", ""], ["2", "n1", ""]]
    ),
    "a delimiter at the end of the header": Table("id;name;\n1;n0\n2;n1\n", TYPED, "id name", [["1", "n0"], ["2", "n1"]]),
    "dbgen": Table(
        "1|Customer#000000001|IVhzIApeRb ot,c,E|15|\n2|Customer#000000002|XSTf4,NCwDVaW|13|\n",
        NONE, "- - - - -",
        [["1", "Customer#000000001", "IVhzIApeRb ot,c,E", "15", ""], ["2", "Customer#000000002", "XSTf4,NCwDVaW", "13", ""]],
        key="customer.tbl",
    ),
    "years, titles and delimiters at the ends": Table(
        '"Data Source","World Development Indicators",\n\n"Country Name","Country Code","1960","1961",\n'
        '"Aruba","ABW","54608","55811",\n"Chad","TCD","","3041",\n',
        YEARS, "Country Name Country Code 1960 1961 -",
        [["Aruba", "ABW", "54608", "55811", ""], ["Chad", "TCD", "", "3041", ""]],
        ('"Data Source","World Development Indicators",',),
    ),
    "R's names of rows": Table(
        '"mpg","cyl"\n"Mazda RX4",21,6\n"Fiat 128",32.4,4\n',
        TYPED, "- mpg cyl", [["Mazda RX4", "21", "6"], ["Fiat 128", "32.4", "4"]],
    ),
    "a title in quotes with a delimiter": Table(
        '"Sales, 2024"\nregion,city,seller\nNorth,Oslo,Ada\nSouth,Lima,Bo\n',
        ASSUMED, "region city seller", [["North", "Oslo", "Ada"], ["South", "Lima", "Bo"]], ('"Sales, 2024"',),
    ),
    "Excel's separator with a space after it": Table("sep=; \nid;name\n1;a\n", TYPED, "id name", [["1", "a"]], ("sep=; ",)),
    "R's names of rows beside text": Table(
        '"model","cyl"\n"a","Mazda",6\n"b","Fiat",4\n',
        TYPED, "- model cyl", [["a", "Mazda", "6"], ["b", "Fiat", "4"]],
    ),
    "R's numbers of rows": Table(
        '"city","land"\n"1","Oslo","Norway"\n"2","Lima","Peru"\n',
        ASSUMED, "- city land", [["1", "Oslo", "Norway"], ["2", "Lima", "Peru"]],
    ),
    "numbers of filtered rows": Table(
        "carat,depth,cut\n0,1.12,64.6,Fair\n1,0.5,66.9,Fair\n4,0.7,57.0,Good\n",
        TYPED, "- carat depth cut", [["0", "1.12", "64.6", "Fair"], ["1", "0.5", "66.9", "Fair"], ["4", "0.7", "57.0", "Good"]],
    ),
    "pandas' index": Table(
        ",city,land\n0,Oslo,Norway\n1,Lima,Peru\n", ASSUMED, "- city land", [["0", "Oslo", "Norway"], ["1", "Lima", "Peru"]]
    ),
    "R's names of rows in a text file": Table(
        "mpg\tcyl\nMazda RX4\t21.0\t6\nDatsun 710\t22.8\t4\n",
        TYPED, "- mpg cyl", [["Mazda RX4", "21.0", "6"], ["Datsun 710", "22.8", "4"]], key="mtcars.txt",
    ),
    "a title with a comma": Table(
        "Sales, 2024\nregion,units,amount\nNorth,10,1.50\nSouth,20,2.50\n",
        TYPED, "region units amount", ROWS, ("Sales, 2024",),
    ),
    "a title of several commas above one typed column": Table(
        "Berlin, Germany, Europe\ncity,pop\nMitte,5\n", TYPED, "city pop", [["Mitte", "5"]], ("Berlin, Germany, Europe",)
    ),
    "rows that lack their last two values": Table(
        "Ann;12;;\nBob;absent;;\nCyd;13;late;x\n",
        NONE, "- - - -", [["Ann", "12", "", ""], ["Bob", "absent", "", ""], ["Cyd", "13", "late", "x"]],
    ),
    "rows with one value each": Table(
        "Costs,\n,Rent\n,Food\nTotal,450\n", NONE, "- -", [["Costs", ""], ["", "Rent"], ["", "Food"], ["Total", "450"]]
    ),
    "rows that lack their last value": Table(
        "Ann;12;\nBob;absent;\nCyd;13;late\n", NONE, "- - -", [["Ann", "12", ""], ["Bob", "absent", ""], ["Cyd", "13", "late"]]
    ),
    "lines of keys and values of another width": Table(
        "Station,Lisbon\nLat,38.7\nregion,units,amount\nNorth,10,1.50\nSouth,20,2.50\n",
        TYPED, "region units amount", ROWS, ("Station,Lisbon", "Lat,38.7"),
    ),
    "a header again": Table(
        "id,name\n1,a\n2,b\nid,name\n3,c\n", TYPED, "id name", [["1", "a"], ["2", "b"], ["3", "c"]]
    ),
    "lines of another width after the table": Table(
        "region,units,amount\nNorth,10,1.50\nSouth,20,2.50\n\nTotal rows: 2\nSource: x\n", TYPED, "region units amount", ROWS
    ),
    "a row of the table's width is data": Table(
        "region,units,amount\nNorth,10,1.50\nSouth,20,2.50\nTotal,,4.00\n",
        TYPED, "region units amount", [*ROWS, ["Total", "", "4.00"]],
    ),
    "blank lines before it": Table("\n\r\n\nid,name\n1,a\n", TYPED, "id name", [["1", "a"]]),
}  # fmt: skip


@pytest.mark.parametrize("table", AROUND.values(), ids=AROUND)
def test_what_stands_around_a_table(table):
    layout = check(table)
    data = table.data.encode()
    if table.rows:
        body = data[layout.body_offset :].decode()
        assert body.lstrip('"').startswith(table.rows[0][0])
        assert layout.body_line == 1 + len(data[: layout.body_offset].decode().splitlines())


@pytest.mark.parametrize(
    "amount",
    [
        *(
            "59,9139",
            "1 234,51",
            "1\u00a0234,51",
            "1\u202f234,51",
            "1'234,50",
            "100,50-",
            "1,5 kg",
            "1,5°C",
            "12,5 km/h",
        ),
        *("1,5E-03", "<0,1", "-1,1235", "1,1234%", "1,5-1,9", "2024-01-31 10:00:01,123", "EUR 1,5", "(1,5)"),
    ],
)
def test_decimal_commas_are_no_delimiters(amount):
    layout = layout_of(f"{amount};{amount}\n".encode() * 10, "data.csv", whole=True)
    assert layout.sample == ((amount, amount),) * 10


@pytest.mark.parametrize(
    ("data", "first"),
    [
        ("100,2345\n101,2346\n102,2347,9\n103,2348\n", ("100", "2345")),
        ("id,count\n1,1000\n2\n3,3000\n", ("1", "1000")),
        ("time,ms\n2024-01-31 10:00:00,123\n2024-01-31 10:01:00\n", ("2024-01-31 10:00:00", "123")),
        ("shop,month,units\n12,2024-01,5\n14\n15,2024-02,7\n", ("12", "2024-01", "5")),
        ("1,1000\n2,2000\n2 rows\n", ("1", "1000")),
        ("id,pair,year\n1,3;4,2000\n1003\n" + "2,7;8,1904\n" * 30, ("1", "3;4", "2000")),
    ],
)
def test_a_damaged_row_does_not_make_amounts_of_whole_numbers(data, first):
    assert layout_of(data.encode(), "data.csv", whole=True).sample[0] == first


@pytest.mark.parametrize("first", ['"part,desc\nbolt,size 3"', '"Parts list, 2024\nbolt,size 3"'])
def test_an_open_quote_that_a_value_closes_is_no_title(first):
    layout = layout_of(f"{first}\nnut,4\nrod,5\n".encode(), "data.csv", whole=True)
    assert (layout.header, layout.body_offset, layout.preamble) == (NONE, 0, ())


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_the_header_has_its_line_and_its_bytes(end):
    data = f'Sales of May{end}{end}"id","na{end}me"{end}{end}1,a{end}'.encode()
    layout = layout_of(data, "data.csv", whole=True)
    assert layout.header_record == f'"id","na{end}me"'.encode()
    assert (layout.header_line, layout.body_line) == (3, 6)
    assert data[layout.body_offset :] == f"1,a{end}".encode()


DIALECTS = {
    "one column in quotes": ('name\n"Smith, John"\n"Doe, Jane"\n', ["Smith, John"], ["Doe, Jane"]),
    "one column in quotes, with semicolons": ('name\n"a; b; c"\n"d; e; f"\n', ["a; b; c"], ["d; e; f"]),
    "one column over lines": ('text\n"First, line\nsecond\n\nthird"\n"Another, one"\n', ["First, line\nsecond\n\nthird"], ["Another, one"]),
    "one column of amounts": ("betrag\n12,5\n3,75\n", ["12,5"], ["3,75"]),
    "one column of prose": ("comment\nBad\nGood, but slow\nwell, ok, hm\nnice\n", ["Bad"], ["nice"]),
    "single quotes throughout": ("'id','name'\n'1','x'\n'2','y'\n", ["1", "x"], ["2", "y"]),
    "single quotes where they are needed": ("id,note\n1,'a,b'\n2,'it''s'\n", ["1", "a,b"], ["2", "it's"]),
    "single quotes in the header alone": ("'id','name'\n1,2\n3,4\n", ["1", "2"], ["3", "4"]),
    "single quotes around values over lines": (
        "id,note,city\n1,'a\nb',Oslo\n2,'c\n\nd',Lima\n3,'e',Rome\n", ["1", "a\nb", "Oslo"], ["3", "e", "Rome"]
    ),
    "a line end in one of few single quotes": ("id,note\n1,'x'\n2,'y'\n3,'a\nb'", ["1", "x"], ["3", "a\nb"]),
    "one column of euros": ("preis\n12,5 \u20ac\n3,75 \u20ac\n", ["12,5 \u20ac"], ["3,75 \u20ac"]),
    "one column of dollars": ("price\n$1,100.50\n$7,200.00\n", ["$1,100.50"], ["$7,200.00"]),
    "one column of negative amounts": ("x\n(1,100)\n(7,200)\n", ["(1,100)"], ["(7,200)"]),
    "words in single quotes": ("id,song\n1,'Heroes'\n2,'Low'\n3,Fame\n4,Sue\n", ["1", "'Heroes'"], ["4", "Sue"]),
    "apostrophes": ("id,note\n1,'tis\n2,dogs'\n", ["1", "'tis"], ["2", "dogs'"]),
    "a word in single quotes": ("id,song\n1,'Heroes'\n2,Changes\n3,Fame\n", ["1", "'Heroes'"], ["3", "Fame"]),
    "quotes that quote nothing": ('id\tsize\n1\t"half\n2\t"whole\n', ["1", '"half'], ["2", '"whole']),
    "a quote inside": ('id,size\n1,5" pipe\n2,"6"" pipe"\n', ["1", '5" pipe'], ["2", '6" pipe']),
    "backslashes in quotes": ('id,p,t\n1,C:\\new,"say \\"x\\""\n3,E:\\,"c"\n', ["1", "C:\\new", 'say "x"'], ["3", "E:\\", "c"]),
    "backslashes outside quotes": ("id,t\n1,a\\,b\n2,c\\\\d\n3,e\\\nf\n", ["1", "a,b"], ["3", "e\nf"]),
    "no value, as MySQL writes it": ("1\t\\N\tx\n2\ty\\\tz\t\\N\n", ["1", "", "x"], ["2", "y\tz", ""]),
    "paths": ("id,path\n1,C:\\temp\n2,D:\\new\n", ["1", "C:\\temp"], ["2", "D:\\new"]),
    "JSON in a column": ('{"a":1,"b":2}\tx\t1\n{"b":2,"a":3}\ty\t2\n', ['{"a":1,"b":2}', "x", "1"], ['{"b":2,"a":3}', "y", "2"]),
    "amounts in two columns": ("1,5;2,5\n12,75;3,25\n", ["1,5", "2,5"], ["12,75", "3,25"]),
    "lists in a column": ("1,a;b,5\n2,c;d,6\n", ["1", "a;b", "5"], ["2", "c;d", "6"]),
    "lists as long as each other": ("id,tags\n" + "1,a;b;c\n" * 20, ["1", "a;b;c"], ["1", "a;b;c"]),
    "lists with spaces": ("id\ttaxon\n" + "a1\tk; p; c; o\n" * 20, ["a1", "k; p; c; o"], ["a1", "k; p; c; o"]),
    "lists of numbers": ("id;vector\n" + "1;0.5,0.25,0.75\n" * 20, ["1", "0.5,0.25,0.75"], ["1", "0.5,0.25,0.75"]),
    "pairs of coordinates": ("lat;lon\n59,9139;10,7522\n60,3913;5,3221\n", ["59,9139", "10,7522"], ["60,3913", "5,3221"]),
    "a pair in a column": (
        "id,pair,year\n1,3;4,2000\n" + "2,7;8,1904\n" * 30, ["1", "3;4", "2000"], ["2", "7;8", "1904"]
    ),
    "a delimiter in one of few single quotes": ("id,note\n1,'a,b'\n2,c\n3,d\n4,e\n", ["1", "a,b"], ["4", "e"]),
    "a doubled quote in one of few single quotes": ("id,note\n1,'it''s'\n2,c\n3,d\n4,e\n", ["1", "it's"], ["4", "e"]),
    "a backslash in single quotes": ("id,n\n1,'it\\'s'\n2,'b'\n", ["1", "it's"], ["2", "b"]),
    "single quotes beside an empty column": (
        "id,note,x\n1,a,\n2,'b',\n3,c,\n", ["1", "a", ""], ["3", "c", ""]
    ),
    "delimiters in single quotes in most rows": (
        "id,note\n" + "1,'a,b'\n" * 12 + "2,c\n" * 8, ["1", "a,b"], ["2", "c"]
    ),
    "apostrophes beside a delimiter": (
        "story,word,tag,n\na,!,.,1\na,,',2\nb,,',9\nb,',',197\nb,n',NNP,1\nb,'em,PRP,4\nb,'',SYM,2\nc,d,MD,16\n",
        ["a", "!", ".", "1"], ["c", "d", "MD", "16"],
    ),
    "apostrophes alone": ("id,n\n1,'\n2,'\n3,'\n4,a\n", ["1", "'"], ["4", "a"]),
    "bars between spaces": ("1,a | b\n2,c | d\n3,e | f\n", ["1", "a | b"], ["3", "e | f"]),
    "doubled quotes beside backslashes": ('a,b\n1,"x\\"y"\n2,"z""w"\n', ["1", 'x"y'], ["2", 'z"w']),
    "one column of dollars with whole numbers": (
        "$1,100.50\n$7.00\n$3,200.00\n", ["$1,100.50"], ["$3,200.00"]
    ),
    "one column of ranges": ("preis\n1,50 - 2,50\n3,50 - 4,50\n", ["1,50 - 2,50"], ["3,50 - 4,50"]),
    "one column of dollars after a space": ("v\n$ 1,234.50\n$ 2,345.50\n", ["$ 1,234.50"], ["$ 2,345.50"]),
    "identifiers of sequences": (
        "gi|129295|sp|P01013|OVAX_CHICK\t99.5\n" * 5 + "ref|NP_1.1|\t8\n",
        ["gi|129295|sp|P01013|OVAX_CHICK", "99.5"],
        ["ref|NP_1.1|", "8"],
    ),
    "pairs of coordinates with points": ("pos;n\n55.59,18.38;29\n44.81,13.16;21\n", ["55.59,18.38", "29"], ["44.81,13.16", "21"]),
    "lists of numbers in one column": ("scores\n1,2,3\n4,5\n6,7,8,9\n", ["1,2,3"], ["6,7,8,9"]),
    "a title with a comma above decimal commas": (
        "Kontoauszug, Januar\nDatum;Betrag, EUR\n01.02.2024;1,50\n02.02.2024;2,75\n", ["01.02.2024", "1,50"], ["02.02.2024", "2,75"]
    ),
    "decimal commas with a delimiter at the end": (
        "Datum;Betrag, EUR\n01.02.2024;1,50;\n02.02.2024;2,75;\n", ["01.02.2024", "1,50", ""], ["02.02.2024", "2,75", ""]
    ),
    "one column of coordinates": ("lat\n59,9139\n60,3913\n", ["59,9139"], ["60,3913"]),
    "commas in text": ("1\tOslo, Norway\t5\n2\tLima, Peru\t6\n", ["1", "Oslo, Norway", "5"], ["2", "Lima, Peru", "6"]),
    "line ends of each kind": ('id,t\r1,a\r\n2,b\n3,"c"\r"4",d', ["1", "a"], ["4", "d"]),
    "a carriage return before a quote": ('id,t\r"1","a,b"\r"2","c\rd"\r', ["1", "a,b"], ["2", "c\rd"]),
    "the last field over lines, without a line end": ('id,t\n1,x\n3,"a\nb"', ["1", "x"], ["3", "a\nb"]),
    "control characters": ("1\x01a,b\n2\x01c,d\n", ["1", "a,b"], ["2", "c,d"]),
    "quotes at the width of a field": ('a;b\n"1,2,3";x\n"4,5,6";y\n', ["1,2,3", "x"], ["4,5,6", "y"]),
    "a space before quotes": (
        'id, name, note\n0, "Name, 0", "a note"\n1, "Name, 1",   "a ""note"", long"\n2, Name 2, "b"\n', ["0", "Name, 0", "a note"], ["2", " Name 2", "b"]
    ),
    "a space before few quotes": (
        "id, name\n1, a\n2, b\n" + '3, "c, d"\n', ["1", " a"], ["3", "c, d"]
    ),
    "a space before quotes over lines": (
        'id; text; n\n1; "a;\n b"; 5\n2; "c\n; ""d"""; 6\n', ["1", "a;\n b", " 5"], ["2", 'c\n; "d"', " 6"]
    ),
    "a space before quotes with backslashes": (
        'id, text\n1, "a, \\"b\\""\n2, "c, d"\n', ["1", 'a, "b"'], ["2", "c, d"]
    ),
    "a space before quotes that no value needs": ('id,t\n1, "a; b"\n2, "c"\n', ["1", ' "a; b"'], ["2", ' "c"']),
    "a space before quotes that are text": (
        'id,t\n1, "a\n2, b"\n3, "c" d\n4, "e"\n', ["1", ' "a'], ["4", ' "e"']
    ),
    "coordinates": ('n,place\n1,"37°36\'37.8""N 121°2\'17.9""W"\n2,"5°1\'2""N"\n', ["1", "37°36'37.8\"N 121°2'17.9\"W"], ["2", "5°1'2\"N"]),
}  # fmt: skip


@pytest.mark.parametrize(("data", "first", "last"), DIALECTS.values(), ids=DIALECTS)
def test_the_dialect_that_explains_the_whole(data, first, last):
    layout = layout_of(data.encode(), "data.csv", whole=True)
    assert list(layout.sample[0]) == first
    assert list(layout.sample[-1]) == last


EVERY = {**HEADERS, **AROUND}


@pytest.mark.parametrize("table", EVERY.values(), ids=EVERY)
def test_each_becomes_a_table_with_its_rows(table):
    if not table.rows:
        with pytest.raises(EmptyError):
            run(table.data.encode(), table.key)
        return
    converted = run(table.data.encode(), table.key)
    columns = converted.result.columns
    assert " ".join(column.source_name or "-" for column in columns) == table.names
    assert len(converted.rows) == len(table.rows)
    for row, expected in zip(converted.rows, table.rows, strict=True):
        for value, text, column in zip(row, expected, columns, strict=True):
            assert column.type != "VARCHAR" or value == (text or None)
    profile = converted.profile
    assert profile["header"] == table.header
    assert profile.get("preamble", []) == list(table.preamble)


@pytest.mark.parametrize(("data", "first", "last"), DIALECTS.values(), ids=DIALECTS)
def test_each_dialect_is_read(data, first, last):
    converted = run(data.encode())
    for row, expected in ((converted.rows[0], first), (converted.rows[-1], last)):
        for value, text, column in zip(row, expected, converted.result.columns, strict=True):
            assert column.type != "VARCHAR" or value == (text or None)
    assert converted.rejects == []


@pytest.mark.parametrize("word", ["'", "n'", "'em"])
def test_apostrophes_beside_a_damaged_row_join_no_lines(word):
    lines = [f"a,,{word},2", f"b,,{word},9", "c,'d,e',MD,16,1,2", *["c,d,MD,16"] * 20]
    converted = run("\n".join(["story,word,tag,n", *lines, ""]).encode())
    assert [reject["raw"] for reject in converted.rejects] == [lines[2]]
    assert converted.rows[:2] == [("a", None, word, "2"), ("b", None, word, "9")]


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_a_header_that_cannot_be_read_is_a_rejected_row(data):
    rows = data.splitlines()[1 + data.startswith("Sales") :]
    converted = run(data.encode(), rejected_share_max=0.5)
    assert [reject["line"] for reject in converted.rejects] == [data.splitlines().index(rows[0])]
    assert converted.account.rows_out == len(rows)
    assert set(converted.types) == {f"column_{number}" for number in range(1, len(converted.types) + 1)}
    assert refused(data.encode(), rejected_share_max=0.1).account is not None


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_header_again_is_rejected_as_such(quote, mark, end):
    header = f"{quote}id{quote},{quote}name{quote}{end}"
    rows = f"1,{quote}a{quote}{end}2,{quote}b{quote}{end}"
    converted = run(f"{mark}{header}{rows}{mark}{header}{rows}{mark}{header}{rows}".encode())
    assert [reject["reason"] for reject in converted.rejects] == ["the header again"] * 2
    assert [reject["line"] for reject in converted.rejects] == [4, 7]
    assert converted.types == {"id": "BIGINT", "name": "VARCHAR"}
    assert converted.account.rows_out == 6


@pytest.mark.parametrize(
    "header", ["id,name", '"id","name"', '"id",name', "sep=,\nid,name", 'sep=,\n"id","name"']
)
@pytest.mark.parametrize("again", ["id,name", '"id","name"'])
def test_a_header_again_may_have_other_quotes(header, again):
    again = again if "sep" not in header else f"sep=,\n{again}"
    converted = run(f"{header}\n1,a\n2,b\n{again}\n3,c\n".encode())
    assert converted.types == {"id": "BIGINT", "name": "VARCHAR"}
    assert [reject["raw"] for reject in converted.rejects] == again.splitlines()
    assert {reject["reason"] for reject in converted.rejects} == {"the header again"}


@pytest.mark.parametrize("data", ["sep=;\nsep=;\n", "# made by x\n# in May\nid,name\n"])
def test_headers_and_comments_alone_are_no_rows(data):
    with pytest.raises(EmptyError):
        run(data.encode())


def test_a_row_with_an_escaped_delimiter_has_its_number_of_fields():
    converted = run(b"1,a\\,b,c\n2,x,y\n" * 20 + b"5,a\\,b\n")
    assert [reject["reason"] for reject in converted.rejects] == ["2 fields where 3 are expected"]


def test_a_header_again_far_from_the_beginning():
    rows = b"".join(b"%d,name %d\n" % (number, number) for number in range(100_000))
    converted = run(b"id,name\n" + rows + b"id,name\n" + rows)
    assert [reject["record"] for reject in converted.rejects] == [100_001]
    assert converted.account.rows_out == 200_000


def test_comments_in_a_table_are_rejected_as_such_and_do_not_make_it_fail():
    converted = run(b"id,name\n# it's \"one\n1,a\n# two, or three, or four\n2,b\n")
    assert [(reject["line"], reject["reason"]) for reject in converted.rejects] == [
        (2, "a comment"),
        (4, "a comment"),
    ]
    assert converted.rows == [("1", "a"), ("2", "b")]


def test_a_comment_in_a_table_below_one_of_its_width_is_rejected_as_such():
    converted = run(b"# AUD,CNY\n# Source: ECB\n1.61,7.79\n# checked\n1.62,7.80\n")
    assert [(reject["line"], reject["reason"]) for reject in converted.rejects] == [(4, "a comment")]
    assert converted.rows == [("1.61", "7.79"), ("1.62", "7.80")]


def test_a_damaged_row_of_a_column_with_hashes_is_no_comment():
    error = refused(b"color,name\n#fff,white\n#000\n#00f,blue\n#f00,red\n")
    assert "1 fields where 2 are expected" in error.reason


@pytest.mark.parametrize("every", [6, 8, 9])
def test_text_of_which_too_many_lines_would_be_rejected_is_text(every):
    """An object of which more than 10 % of the rows are rejected is FAILED."""
    lines = [f"INFO started {n}, port {n}" if n % every else "  at java.base" for n in range(1, 100)]
    converted = run("\n".join(lines).encode(), "server.log")
    assert converted.result.format == "text"
    assert converted.account.rows_out == 99


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["Ada", '"Ada"', '"A\nda"'])
def test_rows_that_excel_pads_in_blocks_are_rows(name, end):
    header = f"id,name,city,,,{end}"
    padded = "".join(f"{n},{name},Oslo,,,{end}" for n in range(15))
    narrow = "".join(f"{n},{name},Rome{end}" for n in range(15, 400))
    damaged = f"400,{name},Bonn,x,,{end}401,{name},Kiel,\0,,{end}402{end}403,{name},Lima,{end}"
    converted = run((header + padded + narrow + damaged + header).encode())
    assert converted.types == {"id": "BIGINT", "name": "VARCHAR", "city": "VARCHAR"}
    assert converted.query("SELECT id FROM data") == [(n,) for n in (*range(400), 403)]
    assert {len(value) for (value,) in converted.query("SELECT DISTINCT name FROM data")} == {
        len(name.strip('"'))
    }
    lines_each = 1 + name.count("\n")
    assert [(reject["line"] - 2) / lines_each for reject in converted.rejects[:3]] == [400, 401, 402]
    assert converted.rejects[-1]["reason"] == "the header again"


def test_a_few_rows_with_an_empty_field_after_the_tables_are_rejected():
    """A value may contain the delimiter: ``6 High Street, Oxford`` without quotes."""
    rows = [f"{n},{n} High Street,ok" for n in range(60)]
    rows[20:23] = [f"{n},{n} High Street, Oxford," for n in range(20, 23)]
    converted = run(("id,street,note\n" + "\n".join(rows) + "\n").encode())
    assert [reject["line"] for reject in converted.rejects] == [22, 23, 24]


@pytest.mark.parametrize(
    "line", ["2016-12-19 19:27:48,960 INFO started", "CHI Alex $ 123,750.00 $ 133,700.00"]
)
def test_text_whose_only_commas_stand_in_numbers_is_text(line):
    converted = run(f"{line}\n".encode() * 40, "data.txt")
    assert converted.rows == [(line,)] * 40


@pytest.mark.parametrize(
    ("delimiter", "row"),
    [
        (",", "1,960"),
        (",", "K1,960"),
        (",", "Oslo,960"),
        (",", "19:27:48,960,INFO"),
        (";", "Oslo 1,960;Lima"),
        ("|", "total of 1,960|Oslo"),
    ],
)
def test_tables_with_numbers_of_three_digits_are_tables(delimiter, row):
    converted = run(f"{row}\n".encode() * 40, "data.txt")
    assert converted.rows == [tuple(row.split(delimiter))] * 40


def test_a_few_lines_after_the_table_are_rejected_and_do_not_make_it_fail():
    converted = run(b"id,name,price\n1,a,2\n2,b,3\n\nTotal: 2\nSource,x\n")
    assert [(reject["reason"], reject["raw"]) for reject in converted.rejects] == [
        ("1 fields where 3 are expected", "Total: 2"),
        ("2 fields where 3 are expected", "Source,x"),
    ]
    assert converted.account.rows_out == 2


def test_more_lines_of_another_width_than_rows_make_it_fail():
    reason = refused(b"id,name,price\n1,a,2\n2,b,3\n" + b"3,c\n" * 3).reason
    assert reason.startswith("3 of 5 rows rejected")


def test_damage_after_the_table_makes_it_fail():
    assert refused(b'id,name\n1,a\n2,b\n3,"c"x\n').reason.startswith("1 of 3 rows rejected")


@pytest.mark.parametrize(
    ("rows", "counts", "first"),
    [
        ("# a comment\n3,c\n4,d,7\n", "1 of 4", "line 5: 2 fields"),
        ('id,name,n\n3,"c"x,7\n', "1 of 3", "line 5: broken"),
        ('Total\n3,"c"x,7\n4,d,8\n', "2 of 5", "line 4: 1 fields"),
    ],
    ids=["a comment", "the header again", "a line in the table"],
)
def test_the_reason_counts_and_names_damaged_rows_alone(rows, counts, first):
    reason = refused(f"id,name,n\n1,a,5\n2,b,6\n{rows}".encode()).reason
    assert reason.startswith(f"{counts} rows rejected, more than 10%; the first at {first}")


@pytest.mark.parametrize(("text", "line"), [("Alice,StreetA\n", 1), ("sep=,\nid,name\n", 2)])
def test_a_header_without_rows_is_named(text, line):
    with pytest.raises(EmptyError, match=f"below line {line}, which was read as its header"):
        run(text.encode())


def test_the_profile_says_how_a_file_is_written_and_what_its_text_looks_like():
    profile = run(b"# von x\nid;betrag;tag\n1;12,5;1/2/2024\n2;1.234,56;3/4/2024\n").profile
    assert [profile[name] for name in ("delimiter", "quote", "escape")] == [";", '"', '"']
    assert "spaces_before_quotes" not in profile
    assert run(b'id,t\n1, "a, b"\n2, c\n').profile["spaces_before_quotes"] is True
    assert (profile["header"], profile["header_line"]) == ("typed", 2)
    assert profile["header_record"] == "id;betrag;tag"
    assert profile["preamble"] == ["# von x"]
    assert [column["looks_like"] for column in profile["columns"]] == [
        None,
        "amounts with a decimal comma",
        "dates whose day and month cannot be distinguished",
    ]
    assert profile["columns"][1]["type"] == "VARCHAR"


def test_badly_quoted_rows_do_not_turn_quoting_off():
    data = b'"id","name"\n"1","a"\n"2","b"x\n"3","c"\n"4,"d"\n"5","e"\n'
    layout = layout_of(data, "data.csv", whole=True)
    assert layout.dialect.quote == b'"'
    assert layout.sample == (("1", "a"), ("3", "c"), ("5", "e"))


def test_plain_text_is_no_table_unless_its_name_says_so():
    data = b"Dear all,\n\nthe numbers are 1, 2 and 3.\n12\n"
    assert layout_of(data, "letter.txt", whole=True).is_text
    assert not layout_of(data, "letter.csv", whole=True).is_text


MARKUP = {
    "XML": '<?xml version="1.0"?>\n<rows>\n<row a="1">Hello, world</row>\n<row a="2"/>\n</rows>\n',
    "XML without a declaration": "\n  <rows>\n<row>1</row>\n</rows>\n",
    "HTML": "<!DOCTYPE html>\n<html><body><p>Hello, world</p>\n<p>x</p></body></html>\n",
    "a comment": "<!-- made by x -->\n<rows/>\n",
    "XML that tabs indent": '<?xml version="1.0"?>\n<rows>\n' + "\t<row>x</row>\n" * 50 + "</rows>\n",
    "XML whose lines have a comma each": "<rows>\n" + '<at c="1,1"/>\n' * 50 + "</rows>\n",
    "XML on each line": "<event><id>0</id><text>a,b</text></event>\n" * 50,
    "HTML whose lines have a semicolon each": "<p>&nbsp;</p>\n" * 30,
    "HTML whose lines have a bar each": "<!DOCTYPE html>\n<title>x | y</title>\n" + "<li>a | b</li>\n" * 30,
    "KML": '<?xml version="1.0"?>\n<kml><coordinates>\n' + "1.5,2.25,0\n" * 20,
}


@pytest.mark.parametrize("key", ["data.xml", "data.csv", "data"])
@pytest.mark.parametrize("data", MARKUP.values(), ids=MARKUP)
def test_xml_and_html_are_not_read(data, key):
    assert refused(data.encode(), key).reason == "unsupported format, by its first tag: XML or HTML"


@pytest.mark.parametrize(
    "data",
    [
        "<b>x</b>,1\n<i>y</i>,2\n",
        "<NA>,1\n<br>,2\n",
        "<x> user,1\n<y> user,2\n",
        "<1,2\n<3,4\n",
        "html\n<p>x</p>\n<p>y</p>\n",
    ],
)
def test_a_table_that_begins_with_a_tag_is_a_table(data):
    assert run(data.encode()).account.rows_out == 2


NOTES = {
    "amounts with a decimal comma": ["12,5", "1.234,56", "7", ""],
    "amounts with a decimal point and grouped thousands": ["1,234.56", "0.50", "NA"],
    "amounts whose comma or point is a decimal mark or between thousands": ["1,234", "5,678"],
    "whole numbers with grouped thousands": ["1 234", "56"],
    "amounts with a decimal comma with a currency or a per cent sign": ["12,5 €", "3,75 €"],
    "amounts with a currency or a per cent sign": ["$12.50", "$3"],
    "dates whose day and month cannot be distinguished": ["01/02/2024", "3/4/2024"],
}


@pytest.mark.parametrize(("note", "values"), NOTES.items())
def test_what_a_column_of_text_looks_like(note, values):
    data = "id;x\n" + "".join(f"{number};{value}\n" for number, value in enumerate(values))
    assert layout_of(data.encode(), "data.csv", whole=True).note(1) == note


@pytest.mark.parametrize("values", [["1.5", "2"], ["a", "b"], ["13/02/2024", "1/4/2024"], ["1.2.3"], [""]])
def test_other_columns_have_no_note(values):
    data = "id;x\n" + "".join(f"{number};{value}\n" for number, value in enumerate(values))
    assert layout_of(data.encode(), "data.csv", whole=True).note(1) is None


WORDS = st.sampled_from(
    ["oslo", "lima", "rome", "Paris", "Berlin", "north", "south", "east", "red", "green", "blue"]
)
TEXTS = st.one_of(
    WORDS,
    st.tuples(WORDS, WORDS).map(", ".join),
    st.tuples(WORDS, WORDS).map('"; '.join),
    st.tuples(WORDS, WORDS).map("\n".join),
    st.sampled_from(
        ["it's", 'say "no"', "'quoted'", "a | b", "1,2 or 3", "semi;colon", "", "https://x.org/?a=1&b=2"]
    ),
)
NUMBERS = {
    "integers": st.integers(-5000, 5000).map(str),
    "decimals": st.integers(-5000, 5000).map(lambda number: f"{number / 100:.2f}"),
    "floats": st.floats(0, 1).map(repr),
    "dates": st.dates().map(str),
    "times": st.datetimes().map(lambda moment: str(moment.replace(microsecond=0))),
    "days": st.dates(date(1000, 1, 1)).map("{:%d.%m.%Y}".format),
}
KINDS = {"texts": TEXTS, **NUMBERS}
NAMES = ["id", "name", "Amount (EUR)", "first_name", "Größe", "value %", "col.a", "Q1 2024"]
WRITINGS = st.tuples(
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)


def written(rows: list[list[str]], writing: tuple[str, str, int]) -> bytes:
    file = io.StringIO()
    delimiter, end, quoting = writing
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(rows)
    return file.getvalue().encode()


@st.composite
def columns(draw, kinds):
    """Rows of columns that have one kind each. The first column has numbers."""
    chosen = ["integers", *draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=5))]
    rows = draw(st.lists(st.tuples(*(KINDS[kind] for kind in chosen)), min_size=4, max_size=20))
    return [list(row) for row in rows]


@MANY
@given(columns(KINDS), WRITINGS)
def test_any_table_with_a_header(rows, writing):
    header = NAMES[: len(rows[0])]
    layout = layout_of(written([header, *rows], writing), "data", whole=True)
    assert (layout.header, layout.names) == (TYPED, tuple(header))
    assert [list(row) for row in layout.sample] == rows
    assert layout.dialect.delimiter == writing[0].encode()


@MANY
@given(
    columns(KINDS), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.sampled_from([" ", "   "])
)
def test_any_table_with_a_space_before_quotes(rows, delimiter, end, spaces):
    rows = [["1", f"a{delimiter} b", *row] for row in rows]
    lines = [["id", "place", *NAMES[2 : len(rows[0])]], *(["2", "c", *row[2:]] for row in rows[:3]), *rows]
    cells = [['"{}"'.format(cell.replace('"', '""')) for cell in line] for line in lines]
    data = "".join((delimiter + spaces).join(line) + end for line in cells)
    layout = layout_of(data.encode(), "data.csv", whole=True)
    assert [list(row) for row in layout.sample][-len(rows) :] == rows
    assert layout.dialect.spaced


@MANY
@given(columns(NUMBERS), WRITINGS)
def test_numbers_and_dates_are_never_a_header(rows, writing):
    layout = layout_of(written(rows, writing), "data.csv", whole=True)
    assert layout.header is NONE
    assert [list(row) for row in layout.sample] == rows


TITLES = st.lists(
    st.sampled_from(["Sales report of May", "# made by x", "Source: Ministry", ""]), min_size=1, max_size=4
)


@MANY
@given(columns(KINDS), WRITINGS, TITLES, st.booleans())
def test_titles_are_apart(rows, writing, titles, padded):
    header, (delimiter, end, _) = NAMES[: len(rows[0])], writing
    padding = delimiter * (len(header) - 1) if padded else ""
    lines = [title + padding for title in titles]
    before = "".join(line + end for line in lines).encode()
    layout = layout_of(before + written([header, *rows], writing), "data.csv", whole=True)
    assert (layout.header, layout.names) == (TYPED, tuple(header))
    assert [list(row) for row in layout.sample] == rows
    assert list(layout.preamble) == [line for line in lines if line]


@MANY
@given(
    columns(KINDS),
    WRITINGS,
    st.lists(st.sampled_from(["Total rows: 5", "Source: x"]), min_size=1, max_size=3),
)
def test_lines_after_the_table_change_nothing(rows, writing, lines):
    data = written([NAMES[: len(rows[0])], *rows], writing)
    after = "".join(line + writing[1] for line in lines).encode()
    layout = layout_of(data + after, "data.csv", whole=True)
    assert layout == layout_of(data, "data.csv", whole=True)


@MANY
@given(columns(KINDS), WRITINGS, st.data())
def test_a_cut_is_no_reason_to_read_otherwise(rows, writing, data):
    header, rows_3 = NAMES[: len(rows[0])], rows * 3
    whole = written([header, *rows_3], writing)
    cut = data.draw(st.integers(len(whole) // 2, len(whole)))
    # An apostrophe is a quote if three quarters of a column have it (docs/layouts.md).
    held = [
        row
        for number, row in enumerate(rows_3)
        if len(written([header, *rows_3[: number + 1]], writing)) <= cut
    ]
    assume(columns_in_apostrophes(held) == columns_in_apostrophes(rows_3))
    layout = layout_of(whole[:cut], "data.csv", whole=False)
    assert layout.dialect == layout_of(whole, "data.csv", whole=True).dialect
    assert [list(row) for row in layout.sample] == rows_3[: len(layout.sample)]


def columns_in_apostrophes(rows):
    """Return the columns of which at least three of four cells with a value stand in apostrophes."""
    columns = [[cell for cell in column if cell] for column in zip(*rows, strict=True)]
    quoted = [sum(cell.startswith("'") and cell.endswith("'") for cell in column) for column in columns]
    return [index for index, column in enumerate(columns) if quoted[index] >= 0.75 * len(column) > 0]


@MANY
@given(
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=3, max_size=12),
    WRITINGS,
    st.sampled_from(sorted(set(UNREADABLE) - {"an open quote below a title"})),
)
def test_no_row_is_taken_for_a_header_that_cannot_be_read(rows, writing, damage):
    delimiter, end, _ = writing
    header = UNREADABLE[damage].splitlines()[0].replace(",", delimiter)
    layout = layout_of(header.encode() + end.encode() + written(rows, writing), "data.csv", whole=True)
    assert layout.header_record not in written(rows, writing).splitlines() or layout.header is NONE


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*",;\t|\"'\\\n\r #=", "sep=", "\r\n", '""', "a", "1", "1.5", "2020", "\\N", "é", "\0"]
        ),
        max_size=40,
    ),
    st.sampled_from(["a.csv", "a.tsv", "a"]),
    st.booleans(),
)
def test_any_beginning_has_a_layout(pieces, key, whole):
    head = "".join(pieces).encode()
    layout = layout_of(head, key, whole=whole)
    assert len(layout.names) == layout.dialect.width
    assert all(len(row) == layout.dialect.width for row in layout.sample)
    assert 0 <= layout.body_offset <= len(head)
    assert head[: layout.body_offset].count(b"\n") < layout.body_line
