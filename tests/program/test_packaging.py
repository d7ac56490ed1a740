"""The archives for Lambda: their contents, and that their bytes depend on the sources only."""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags

from components import archive, packaging
from components.packaging import PackagingError
from components.runtimes import RUNTIMES, Runtime
from tests.program.evaluation import Evaluation, evaluate


@pytest.fixture
def handler(tmp_path: Path) -> Path:
    """A handler of two modules and a package."""
    folder = tmp_path / "handler"
    (folder / "conversion").mkdir(parents=True)
    (folder / "index.py").write_text("import json\nimport jobs\nfrom conversion import convert\n")
    (folder / "jobs.py").write_text("def keep():\n    import lazy\n")
    (folder / "lazy.py").write_text("")
    (folder / "conversion" / "__init__.py").write_text(
        "from conversion.model import Column\ndef convert(): ...\n"
    )
    (folder / "conversion" / "model.py").write_text("class Column: ...\n")
    return folder


GENERATED = {"VERSION", "datasets.json"}
MODULES = [
    *("VERSION", "conversion/__init__.py", "conversion/model.py"),
    *("datasets.json", "index.py", "jobs.py", "lazy.py"),
]


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as content:
        assert content.testzip() is None
        return content.namelist()


def test_handler_archive_has_the_modules_that_its_entry_imports(handler: Path, tmp_path: Path) -> None:
    assert names(packaging.build_handler(handler, tmp_path / "build")) == MODULES


def test_unused_files_do_not_change_the_archive(handler: Path, tmp_path: Path) -> None:
    clean = packaging.build_handler(handler, tmp_path / "build")
    (handler / "__pycache__").mkdir()
    (handler / "__pycache__" / "index.cpython-311.pyc").write_bytes(b"x")
    (handler / ".env").write_text("SECRET=1")
    (handler / "notes.md").write_text("x")
    (handler / "index.py.orig").write_text("x")
    (handler / "scratch.py").write_text("import jobs")
    (handler / "conversion" / "old.py").write_text("")
    (handler / "data.csv").write_text("a,b")
    assert packaging.build_handler(handler, tmp_path / "build") == clean


def test_bytes_depend_on_the_sources_only(handler: Path, tmp_path: Path) -> None:
    first = packaging.build_handler(handler, tmp_path / "one")
    elsewhere = tmp_path / "elsewhere" / "deep"
    shutil.copytree(handler, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    second = packaging.build_handler(elsewhere, tmp_path / "two")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    (elsewhere / "jobs.py").write_text("CHANGED = True\n")
    assert packaging.build_handler(elsewhere, tmp_path / "two").name != first.name


def test_entries_have_no_time_and_are_readable(handler: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packaging.build_handler(handler, tmp_path / "build")) as content:
        for entry in content.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.external_attr >> 16 == 0o100644
            if entry.filename not in GENERATED:
                assert content.read(entry) == (handler / entry.filename).read_bytes()
        assert content.read("VERSION").decode().strip() == packaging.program_version()


def test_missing_entry_point_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        PackagingError, match=r"index\.py: must be a file with the function's handler, got none"
    ):
        packaging.build_handler(tmp_path, tmp_path / "build")


@pytest.mark.parametrize(
    ("module", "content"),
    [("index.py", "def handler(:\n"), ("jobs.py", "def keep(:\n")],
    ids=["entry", "imported"],
)
def test_module_that_is_not_python_is_reported(
    handler: Path, tmp_path: Path, module: str, content: str
) -> None:
    (handler / module).write_text(content)
    with pytest.raises(PackagingError, match=module.removesuffix(".py")):
        packaging.build_handler(handler, tmp_path / "build")


def test_package_without_init_is_reported(handler: Path, tmp_path: Path) -> None:
    (handler / "conversion" / "__init__.py").unlink()
    with pytest.raises(PackagingError, match=r"conversion: .*__init__\.py"):
        packaging.build_handler(handler, tmp_path / "build")


def test_deployed_handler_is_the_project_s(one_stack: Evaluation) -> None:
    function = one_stack.one("aws:lambda/function:Function").inputs
    path = Path(function["code"].path)
    assert not path.is_absolute()
    modules = names(path)
    assert "index.py" in modules
    assert path.read_bytes() == packaging.build_handler().read_bytes()
    tracked = set(packaging.HANDLER_DIRECTORY.rglob("*.py"))
    assert {packaging.HANDLER_DIRECTORY / module for module in set(modules) - GENERATED} <= tracked
    assert all("test" not in module for module in modules)


def test_parallel_builds_give_the_same_archive(handler: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        built = list(pool.map(lambda _: packaging.build_handler(handler, build), range(16)))
    assert len(set(built)) == 1
    assert [path.name for path in build.iterdir()] == [built[0].name]
    assert names(built[0]) == MODULES


def wheel(folder: Path, name: str, files: dict[str, str], compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", compression) as content:
        content.mkdir(f"{name}/")
        for path, text in files.items():
            content.writestr(path, text)


@pytest.fixture
def downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Wheels that pip would have downloaded."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()

    def copy(requirements: Path, runtime: Runtime, target: Path) -> None:
        for path in sorted(wheels.iterdir(), reverse=True):
            shutil.copy(path, target)

    monkeypatch.setattr(packaging, "_download", copy)
    return wheels


def test_layer_has_the_files_that_the_wheels_install(downloaded: Path, tmp_path: Path) -> None:
    wheel(
        downloaded,
        "one",
        {
            "one/__init__.py": "ONE = 1\n" * 100,
            "one-1.0.dist-info/METADATA": "Name: one\n",
            "one-1.0.data/platlib/one/_native.so": "native",
            "one-1.0.data/purelib/one/pure.py": "",
            "one-1.0.data/scripts/one": "#!python",
            "one-1.0.data/data/share/one.txt": "x",
        },
    )
    wheel(downloaded, "two", {"two.py": "TWO = 2\n"}, zipfile.ZIP_STORED)
    requirements = tmp_path / "layer.txt"
    requirements.write_text("one\ntwo\n")
    layer = packaging.build_layer(requirements=requirements, build=tmp_path / "build")
    assert names(layer) == [
        "python/one-1.0.dist-info/METADATA",
        "python/one/__init__.py",
        "python/one/_native.so",
        "python/one/pure.py",
        "python/two.py",
    ]
    with zipfile.ZipFile(layer) as content:
        assert content.read("python/one/__init__.py") == b"ONE = 1\n" * 100
        assert content.read("python/two.py") == b"TWO = 2\n"
    again = packaging.build_layer(requirements=requirements, build=tmp_path / "again")
    assert again.read_bytes() == layer.read_bytes()


def test_each_runtime_has_a_layer_of_its_own(downloaded: Path, tmp_path: Path) -> None:
    wheel(downloaded, "one", {"one.py": ""})
    requirements = tmp_path / "layer.txt"
    requirements.write_text("one==1.0\n")
    layers = {
        packaging.build_layer(runtime, requirements, tmp_path / "build") for runtime in RUNTIMES.values()
    }
    assert len(layers) == len(RUNTIMES)


@pytest.mark.parametrize("name", RUNTIMES)
def test_pip_is_asked_for_wheels_of_the_runtime(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    requirements = tmp_path / "layer.txt"
    requirements.write_text("one==1.0\n")
    packaging.build_layer(RUNTIMES[name], requirements, tmp_path / "build")
    assert asked[asked.index("--python-version") + 1] == name.removeprefix("python")
    platforms = {asked[index + 1] for index, word in enumerate(asked) if word == "--platform"}
    newest = {"python3.11": 26}.get(name, 34)
    assert f"manylinux_2_{newest}_aarch64" in platforms
    assert f"manylinux_2_{newest + 1}_aarch64" not in platforms
    assert {"manylinux_2_17_aarch64", "manylinux_2_24_aarch64", "manylinux2014_aarch64"} <= platforms


def test_function_and_layer_are_of_the_chosen_runtime(
    downloaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(downloaded, "one", {"one.py": ""})
    monkeypatch.setattr(packaging, "BUILD_DIRECTORY", tmp_path)
    monkeypatch.setattr(packaging.build_layer, "__defaults__", (None, packaging.LAYER_REQUIREMENTS, tmp_path))
    evaluation = evaluate("eu-west-1", {"regional-analytics:pythonRuntime": "python3.13"})
    assert evaluation.one("aws:lambda/function:Function").inputs["runtime"] == "python3.13"
    layer = evaluation.one("aws:lambda/layerVersion:LayerVersion").inputs
    assert layer["compatibleRuntimes"] == ["python3.13"]
    assert Path(layer["code"].path).resolve().parent == tmp_path


def test_layer_that_is_too_large_is_reported(
    downloaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(downloaded, "one", {"one.py": "1\n" * 1000})
    requirements = tmp_path / "layer.txt"
    requirements.write_text("one\n")
    monkeypatch.setattr(packaging, "UNZIPPED_BYTES", 1999)
    with pytest.raises(PackagingError, match="the layer must be up to 1,999 bytes unzipped, got 2,000"):
        packaging.build_layer(requirements=requirements, build=tmp_path / "build")


def test_layer_follows_the_lock(downloaded: Path, tmp_path: Path) -> None:
    wheel(downloaded, "one", {"one.py": ""})
    requirements = tmp_path / "layer.txt"
    requirements.write_text("one==1.0\n")
    first = packaging.build_layer(requirements=requirements, build=tmp_path / "build")
    requirements.write_text("one==1.1\n")
    assert packaging.build_layer(requirements=requirements, build=tmp_path / "build") != first


def test_markers_are_evaluated_for_the_function_not_for_this_machine() -> None:
    lock = """\
# by uv
always==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
older==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:cc
newer==3.0 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
windows==4.0 ; sys_platform == 'win32' \\
    --hash=sha256:ee
"""
    for runtime, last in {
        "python3.11": "older==2.0 --hash=sha256:cc",
        "python3.12": "newer==3.0 --hash=sha256:dd",
    }.items():
        assert packaging.locked_for_function(lock, RUNTIMES[runtime]).splitlines() == [
            "always==1.0 --hash=sha256:aa --hash=sha256:bb",
            last,
        ]


def test_failed_download_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = tmp_path / "layer.txt"
    requirements.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    for variable, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(PackagingError, match=r"layer\.txt: pip could not download .* no-such-package==1\.0"):
        packaging.build_layer(requirements=requirements, build=tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_command_reports_a_failed_build_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(runtime: Runtime) -> Path:
        raise PackagingError(f"layer.txt: no wheels for {runtime.name}")

    monkeypatch.setattr(packaging, "build_layer", fail)
    monkeypatch.setattr(sys, "argv", ["packaging", "python3.12"])
    with pytest.raises(SystemExit, match="2"):
        packaging.main()
    assert capsys.readouterr().err == "python -m components.packaging: layer.txt: no wheels for python3.12\n"


def test_real_layer_is_the_lock_s_for_arm64(one_stack: Evaluation) -> None:
    path = Path(one_stack.one("aws:lambda/layerVersion:LayerVersion").inputs["code"].path)
    assert not path.is_absolute()
    content = names(path)
    assert all(name.startswith("python/") for name in content)
    natives = {name for name in content if name.endswith(".so")}
    assert any("duckdb" in name for name in natives)
    assert not [name for name in natives if "x86_64" in name]
    installed = {
        name.split("/")[1].removesuffix(".dist-info").replace("-", "==").replace("_", "-").lower()
        for name in content
        if name.endswith(".dist-info/METADATA")
    }
    lock = packaging.locked_for_function(packaging.LAYER_REQUIREMENTS.read_text())
    locked = {line.split()[0] for line in lock.splitlines()}
    assert installed == locked


@pytest.mark.parametrize("name", RUNTIMES)
def test_wheels_of_a_real_layer_run_on_the_runtime(name: str) -> None:
    """`make layers` builds the layers of all runtimes; that of the default runtime always exists."""
    runtime = RUNTIMES[name]
    recorded = packaging.layer_path(runtime)
    if not recorded.exists() and runtime is not packaging.DEFAULT_RUNTIME:
        pytest.skip(f"no layer for {name} is built: make layers")
    with zipfile.ZipFile(recorded) as content:
        tags = {
            name: re.findall(r"^Tag: (\S+)$", content.read(name).decode(), re.MULTILINE)
            for name in content.namelist()
            if name.endswith(".dist-info/WHEEL")
        }
    assert tags
    runs = {f"{tag.interpreter}-{tag.abi}-{tag.platform}" for tag in wheel_tags(runtime)}
    assert {name: found for name, found in tags.items() if not runs & set(found)} == {}


def wheel_tags(runtime: Runtime) -> Iterator[Tag]:
    version = tuple(map(int, runtime.python.split(".")))
    platforms = packaging.platforms(runtime)
    yield from cpython_tags(version, platforms=platforms)
    yield from compatible_tags(version, platforms=platforms)


def test_real_layer_and_handler_fit_lambda() -> None:
    layer, handler = packaging.build_layer(), packaging.build_handler()
    assert layer.stat().st_size <= packaging.DIRECT_UPLOAD_BYTES
    assert handler.stat().st_size <= packaging.DIRECT_UPLOAD_BYTES
    unzipped = sum(member.size for path in (layer, handler) for member in archive.members(path))
    assert unzipped <= packaging.UNZIPPED_BYTES


def test_cached_archives_need_neither_network_nor_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    packaging.build_layer()

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a cached layer was downloaded")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert packaging.build_layer().exists()


def test_command_builds_both_archives_and_prints_them() -> None:
    command = [sys.executable, "-m", "components.packaging"]
    result = subprocess.run(
        command, cwd=packaging.PROJECT_DIRECTORY, capture_output=True, text=True, check=True
    )
    handler, layer = result.stdout.splitlines()
    assert handler.startswith(f".build{os.sep}handler-")
    assert layer.startswith(f".build{os.sep}layer-")
    assert "sha256:" in layer


def test_the_build_folder_has_the_deployed_code(one_stack: Evaluation) -> None:
    """docs/runbook.md, "changed-code", looks there for the archive with the hash of the output."""
    hashes = {
        packaging.code_sha256(pulumi.FileArchive(str(file)))
        for file in packaging.BUILD_DIRECTORY.glob("handler-*.zip")
    }
    assert one_stack.outputs["codeSha256"] in hashes
