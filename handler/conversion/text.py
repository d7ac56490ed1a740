"""One pass over text: plan it from its beginning, read its records, and write them."""

from conversion.decode import Encoding
from conversion.delimited.plan import delimited_plan
from conversion.findings import Findings, RefutedError, read_strictly_after_errors
from conversion.formats import json_layout, refuse_binary
from conversion.json.plan import json_plan
from conversion.model import EmptyError
from conversion.passes import Resources, Result
from conversion.plan import Plan
from conversion.writer import Writer


def read(resources: Resources, findings: Findings) -> Result:
    """Write delimited text, plain text or JSON.

    Raises:
        EmptyError: The object has no rows.
        RefutedError: It refutes its plan.
        UnreadableError: It cannot be read as data.
    """
    source = resources.source
    encoding = Encoding(source.head, findings)
    refuse_binary(source.head, encoding.name)
    resources.rejects.encoding = encoding.name
    plan = _planned(resources, encoding, findings)
    reader, format_ = plan.reader, source.workbook or plan.format
    metadata = {**resources.metadata, "format": format_, "encoding": encoding.name}
    blocks = reader.read(encoding.decoded(source.blocks()))
    with read_strictly_after_errors(findings):
        rows_out, columns = Writer(resources, plan, findings).write(blocks, metadata)
    if rows_out != reader.rows and not findings.strictly:
        raise RefutedError(strictly=True)
    return Result(
        format=format_,
        encoding=encoding.name,
        facts=reader.facts,
        columns=columns,
        rows=reader.rows,
        rows_out=rows_out,
        beside=reader.beside,
    )


def _planned(resources: Resources, encoding: Encoding, findings: Findings) -> Plan:
    source = resources.source
    if source.whole and not encoding.head(source.head).strip():
        raise EmptyError("the object has only white space")
    if layout := json_layout(source, encoding, findings):
        return json_plan(layout, encoding, findings, resources)
    return delimited_plan(encoding, findings, resources)
