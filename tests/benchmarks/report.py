"""The page and the plot of the benchmarks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.small import OBJECTS, PROCESSES, Small
from tests.benchmarks.throughput import VCPU_SHARE

_NAMES = {
    "copy": "bare DuckDB COPY of the local file",
    "local": "this project, of the local file",
    "project": "this project",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "pandas": "pandas, chunked",
}
_PLAIN = ("CSV", "NDJSON", "JSON array")
"""The objects that the others of their format are compared with."""
Figures = Mapping[str, float]


def write(
    directory: Path,
    *,
    machine: Mapping[str, Any],
    megabytes: int,
    rounds: int,
    compared: Mapping[str, Mapping[str, Figures]],
    growth: Mapping[int, Figures],
    exponents: Figures,
    throughput: Figures,
    small: Small,
    program: float,
) -> None:
    """Write ``benchmarks.md`` and ``benchmarks.png`` into ``directory``."""
    lines = [
        "# Benchmarks",
        "",
        "`make bench` writes this page; edit `tests/benchmarks/` instead.",
        "",
        f"Machine: {machine['processor']}, {machine['cores']} cores, Python {machine['python']}.",
        "S3 is moto's server on the loopback interface, with its objects in memory.",
        f"Each figure is the median of {rounds} rounds. In each round every engine runs once.",
        "Each engine has one processor, as a function of 1,769 MB. Ratios are to the COPY of the same round.",
        "All but those of the local file get the object from S3 and put the Parquet there.",
        "This project also counts the rows, checks the types and writes the profile.",
        "",
        "![Time and memory by size, and time by engine](benchmarks.png)",
        "",
    ]
    for format_, engines in compared.items():
        lines += _comparison(format_, engines, megabytes)
    lines += [
        "## Growth: this project, CSV",
        "",
        "| MB | seconds | MB/s | peak resident MB |",
        "|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {size} | {figures['seconds']:.2f} | {size / figures['seconds']:.0f} "
        f"| {figures['resident_bytes'] / 1e6:.0f} |"
        for size, figures in growth.items()
    ]
    lines += [
        "",
        f"Time grows with the size to the power of {exponents['seconds']:.2f},",
        f"memory to the power of {exponents['resident_bytes']:.2f}.",
        "",
    ]
    lines += _throughput(throughput)
    lines += _small(small)
    lines += [
        "",
        "## Evaluation of the program",
        "",
        "Importing the SDK's modules takes most of the time.",
        f"The program takes {program:.1f} times the processor time of that import alone.",
    ]
    (directory / "benchmarks.md").write_text("\n".join(lines) + "\n")
    _plot(directory / "benchmarks.png", compared, growth, megabytes)


def _comparison(format_: str, engines: Mapping[str, Figures], megabytes: int) -> list[str]:
    rows = [
        f"| {_NAMES[engine]} | {figures['seconds']:.2f} | {figures['ratio']:.2f} | "
        f"{figures['cpu_ratio']:.2f} | {figures['resident_bytes'] / 1e6:.0f} | "
        f"{figures['bytes_out'] / 1e6:.0f} |"
        for engine, figures in engines.items()
    ]
    return [
        f"## {format_}, {megabytes} MB",
        "",
        "| | seconds | x COPY | processor time x COPY | peak resident MB | MB out |",
        "|---|---:|---:|---:|---:|---:|",
        *rows,
        "",
    ]


def _throughput(throughput: Figures) -> list[str]:
    rows = [
        f"| {name} | {figure:.0f} | {figure * VCPU_SHARE:.0f} | {throughput[plain] / figure:.2f} |"
        for name, figure in throughput.items()
        for plain in _PLAIN
        if name.startswith(plain)
    ]
    return [
        "## Throughput by kind of object",
        "",
        "| | MB per second of processor time | MB/s of a function with 1024 MB | time x plain |",
        "|---|---:|---:|---:|",
        *rows,
        "",
    ]


def _small(small: Small) -> list[str]:
    rows = [f"| {name} | {figure:.0f} |" for name, figure in small.milliseconds.items()]
    deferred = ", ".join(small.deferred) or "none"
    return [
        "## Small objects and cold starts",
        "",
        "| | milliseconds |",
        "|---|---:|",
        *rows,
        "",
        f"Medians of {PROCESSES} processes, which handle {OBJECTS} objects each after the first.",
        f"A handling takes {small.ratio:.1f} times as long as its AWS calls alone:",
        f"{', '.join(small.calls)}.",
        "The calls are repeated with the same arguments on a separate bucket and table.",
        f"Modules that the first handling loads: {deferred}.",
    ]


def _plot(
    path: Path, compared: Mapping[str, Mapping[str, Figures]], growth: Mapping[int, Figures], megabytes: int
) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = list(growth)
    left.loglog(
        sizes, [figures["seconds"] for figures in growth.values()], "o-", color="tab:blue", label="seconds"
    )
    left.set_xlabel("MB of CSV")
    left.set_ylabel("seconds", color="tab:blue")
    memory = left.twinx()
    memory.semilogx(
        sizes, [figures["resident_bytes"] / 1e6 for figures in growth.values()], "s--", color="tab:red"
    )
    memory.set_ylim(0, 1024)
    memory.set_ylabel("peak resident MB, of the function's 1024", color="tab:red")
    left.set_title("S3 to Parquet to S3: time and memory")
    engines = [engine for engine in _NAMES if engine in next(iter(compared.values()))]
    width = 0.8 / len(engines)
    for place, engine in enumerate(engines):
        heights = [figures[engine]["seconds"] for figures in compared.values()]
        right.bar([at + place * width for at in range(len(compared))], heights, width, label=_NAMES[engine])
    right.set_xticks([at + 0.4 - width / 2 for at in range(len(compared))], list(compared))
    right.set_ylabel("seconds")
    right.set_title(f"{megabytes} MB, by format and engine")
    right.legend(fontsize="small")
    figure.savefig(path, dpi=120)
