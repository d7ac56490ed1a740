"""Names of columns and of fields in structs, from every format."""

import json

import pytest

from tests.readers.published import difference, publish, publish_query

COLUMNS = [
    *(
        "id",
        "ID",
        " id ",
        "a b",
        "a.b",
        "a,b",
        "a-b",
        "dc:title",
        "@type",
        "a/b",
        "a=b",
        "a;b",
        "a'b",
        "a`b",
        'a"b',
    ),
    *("(a)", "[a]", "{a}", "<a>", "a%b", "a\\b", "a\tb", "a\nb", "$a", "order", "select", "null", "7", "_a"),
    *(
        "größe",
        "Größe",
        "名",
        "🎉",
        "İd",
        "\u0131d",
        "ß",
        "SS",
        "ä",
        "Ä",
        "gro\u0308ße",
        "\u212a",
        "k",
        "",
        "",
        "x" * 300,
    ),
    *("名" * 100, "userId", "element", "list", "key", "value"),
    *("$path", "$bucket", "$file_size", "$file_modified_time", "$partition", "$row_id"),
]


@pytest.fixture(scope="session")
def row():
    return dict(zip(COLUMNS, range(len(COLUMNS)), strict=False))


def test_columns_of_csv(engine, folder):
    path = folder / "names-csv.parquet"
    if not path.exists():
        header = ",".join('"' + name.replace('"', '""') + '"' for name in COLUMNS)
        rows = (",".join(f"{row}{number:02}" for number in range(len(COLUMNS))) for row in range(1, 4))
        publish("\n".join([header, *rows, ""]).encode(), path, "input/names.csv")
    assert difference(engine, path) is None


def test_columns_and_fields_of_json(engine, folder, row):
    path = folder / "names-json.parquet"
    if not path.exists():
        rows = [{**row, "s": row, "l": [{"x": row}, None]}, {**row, "s": None, "l": []}]
        publish("".join(json.dumps(row) + "\n" for row in rows).encode(), path, "input/names.ndjson")
    assert difference(engine, path) is None


def test_fields_of_json(engine, folder, row):
    """Without names that differ only in case, which would make the column JSON text."""
    fields = list({name.strip().upper().casefold(): name for name in row if name.strip()}.values())
    path = folder / "fields-json.parquet"
    if not path.exists():
        struct = dict(zip(fields, range(len(fields)), strict=True))
        data = json.dumps({"id": 1, "s": struct, "l": [{"x": struct}, None]}) + "\n"
        publish(data.encode() * 2, path, "input/fields.ndjson")
    assert difference(engine, path) is None


def test_columns_and_fields_of_parquet(engine, folder):
    path = folder / "names-parquet.parquet"
    if not path.exists():
        unique = list({name.casefold(): name for name in COLUMNS if name}.values())
        quoted = ['"' + name.replace('"', '""') + '"' for name in unique]
        columns = ", ".join(f"{number} AS {name}" for number, name in enumerate(quoted))
        fields = ", ".join(f"{name} := {number}" for number, name in enumerate(quoted))
        publish_query(f"SELECT {columns}, struct_pack({fields}) AS s, [struct_pack({fields})] AS l", path)
    assert difference(engine, path) is None
