"""The deployed layer is for its architecture, and its replacement has the same packages."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from local.cloud import Cloud
from local.embedded_lambda.function_archives import download
from local.embedded_lambda.host_layer import check_binaries, host_layer
from local.errors import LocalError

ELF = b"\x7fELF" + bytes(14)
ARM64, X86_64 = b"\xb7\x00", b"\x3e\x00"


def packages(names: list[str]) -> set[str]:
    """Return `name-version` of each installed distribution."""
    return {name.split("/")[-2] for name in names if name.endswith(".dist-info/METADATA")}


def layer_with(content: bytes, name: str = "python/library.so") -> zipfile.ZipFile:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(name, content)
    return zipfile.ZipFile(archive)


def test_the_replacement_has_the_packages_of_the_deployed_layer(cloud: Cloud, region: str) -> None:
    functions = cloud.client("lambda", region)
    function = functions.get_function(FunctionName=cloud.outputs[region]["functionArn"])
    (layer,) = function["Configuration"]["Layers"]
    *_, name, version = layer["Arn"].split(":")
    published = functions.get_layer_version(LayerName=name, VersionNumber=int(version))
    stand_in = host_layer() / "python"

    with zipfile.ZipFile(io.BytesIO(download(published["Content"]["Location"]))) as deployed:
        check_binaries(deployed, function["Configuration"]["Architectures"][0])
        with pytest.raises(LocalError, match=r"is for arm64, not x86_64"):
            check_binaries(deployed, "x86_64")
        assert packages(deployed.namelist()) == packages([str(path) for path in stand_in.rglob("METADATA")])


@pytest.mark.parametrize(
    ("content", "machine"), [(ELF + X86_64, "x86_64"), (b"no library at all", "no known machine")]
)
def test_a_library_for_another_machine_is_refused(content: bytes, machine: str) -> None:
    with pytest.raises(LocalError, match=rf"library\.so is for {machine}, not arm64"):
        check_binaries(layer_with(content), "arm64")


def test_a_library_for_the_right_machine_passes() -> None:
    check_binaries(layer_with(ELF + ARM64), "arm64")
    check_binaries(layer_with(ELF + ARM64, "python/lib.so.1"), "arm64")
    check_binaries(layer_with(b"text", "python/readme.txt"), "arm64")


def test_the_replacement_is_built_once_for_each_lock(tmp_path: Path) -> None:
    assert host_layer() == host_layer()
    lock = tmp_path / "layer.txt"
    lock.write_text("no-such-package-anywhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(LocalError, match=r"cannot install layer.txt for this machine: .+"):
        host_layer(lock)


def test_the_output_says_that_the_layer_was_replaced(cloud: Cloud, region: str) -> None:
    function = cloud.client("lambda", region).get_function(FunctionName=cloud.outputs[region]["functionArn"])
    cloud.functions.recycle()
    cloud.invoke(region, {"Records": []})
    architecture = function["Configuration"]["Architectures"][0]
    said = [note for note in cloud.functions.substitutions if architecture in note and region in note]
    fits = cloud.functions.function(region, function["Configuration"]["FunctionName"]).fits_host
    assert len(said) == (0 if fits else 1), json.dumps(cloud.functions.substitutions)
