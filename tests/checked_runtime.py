"""The embedded Lambda's runtime, which checks the handler's calls against AWS's service models.

It replaces `local/embedded_lambda/function_runtime.py`, in the same isolated interpreter. It loads modules
that are not in the function's archive or layers by their paths.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = (
    Path(sys.executable).parents[1]
    / "lib"
    / f"python{sys.version_info.major}.{sys.version_info.minor}"
    / "site-packages"
)


def main() -> None:
    """Serve invocations. Calls are checked from the import of the handler on."""
    sys.path.append(str(PACKAGES))
    import regex  # noqa: F401 - service_models needs it, and the function's layer does not have it

    sys.path.remove(str(PACKAGES))
    runtime = _loaded(PROJECT / "local" / "embedded_lambda" / "function_runtime.py")
    load = runtime.load

    def load_checked(name: str) -> Callable[..., Any]:
        if importlib.util.find_spec("botocore"):
            _loaded(PROJECT / "tests" / "service_models.py").hold_every_client()
        return load(name)

    runtime.load = load_checked
    runtime.main(*sys.argv[1:])


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
