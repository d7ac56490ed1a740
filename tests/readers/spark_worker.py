"""The process in which Spark runs: `python spark_worker.py`, with Spark's package on the path.

It reads pickled requests from standard input and writes answers to standard output. A request is a Python
expression over `spark` that returns a data frame, with the names that it uses. The answer is the frame's
columns and rows, or the error's text.
"""

import pickle
import sys

from pyspark.sql import Row, SparkSession


def main() -> None:
    """Answer until the input ends."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    spark = (
        SparkSession.builder.master("local[1]")
        .appName("readers")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    _answer(answers, spark.version)
    while True:
        try:
            expression, names = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        try:
            frame = eval(expression, {"spark": spark, **names})
            answer = (frame.columns, [_plain(row) for row in frame.collect()])
        except Exception as error:  # noqa: BLE001 - any error is the answer
            answer = f"{type(error).__name__}: {error}"
        _answer(answers, answer)
    spark.stop()


def _answer(stream, answer) -> None:
    pickle.dump(answer, stream)
    stream.flush()


def _plain(value):
    """Convert a value from Spark's classes to Python's."""
    if isinstance(value, Row):
        return tuple(_plain(inner) for inner in value)
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    return value


def _key(value):
    return tuple(_key(inner) for inner in value) if isinstance(value, Row | list) else value


main()
