"""The plugin `pulumi-resource-aws`: each start of it gets a provider in the process of the tests.

Importing pulumi_aws takes longer than most commands of the tests, so it happens once. And here a test can
hold up a provider's call, to interrupt Pulumi at that moment.
"""

from __future__ import annotations

import shlex
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from tests.engine.provider import Provider, TellRefusals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.server import Server

# Prints the port that it is told, as the engine expects of a plugin, and lives until the engine ends it.
_SCRIPT = """
import socket
asked = socket.create_connection(("127.0.0.1", {port}))
print(asked.makefile().readline().strip(), flush=True)
asked.recv(1)
"""


class PluginHost:
    """Gives every start of the plugin a provider, for as long as the plugin lives: a context manager.

    Attributes:
        before: Called with method (`Create`, `Delete` ...) and URN before each call that concerns a resource.
    """

    def __init__(self, server: Server) -> None:
        self.before: Callable[[str, str], None] = lambda _method, _urn: None
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    def write_executable(self, path: Path) -> None:
        """Write the plugin's executable."""
        script = _SCRIPT.format(port=self._listening.getsockname()[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -S -c {shlex.quote(script)}\n")
        path.chmod(0o755)

    def close(self) -> None:
        """Take no more starts."""
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                plugin, _ = self._listening.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(plugin,), daemon=True).start()

    def _serve(self, plugin: socket.socket) -> None:
        provider = Provider(self._server.client)
        server = grpc.server(
            ThreadPoolExecutor(max_workers=16),
            interceptors=[TellRefusals(self._before)],
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        )
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with plugin:
            plugin.sendall(f"{port}\n".encode())
            plugin.recv(1)  # nothing, when the plugin has ended
        server.stop(grace=None)

    def _before(self, method: str, request: Any) -> None:
        if getattr(request, "urn", "") and not getattr(request, "preview", False):
            self.before(method, request.urn)
