"""Pulumi's plugins in the process of the tests: the AWS provider, and the language plugin for Python.

Importing pulumi_aws takes longer than most commands of the tests, so it happens once. A test can also delay a
call of the provider, to interrupt Pulumi at that moment.
"""

from __future__ import annotations

import shlex
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2, provider_pb2_grpc

from tests.engine.provider import Provider, ReportRefusals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.server import Server

# Prints the port that it receives, as the engine expects of a plugin, and runs until the engine ends it.
_SCRIPT = """
import signal, socket
signal.signal(signal.SIGINT, signal.SIG_DFL)
asked = socket.create_connection(("127.0.0.1", {port}))
print(asked.makefile().readline().strip(), flush=True)
asked.recv(1)
"""


class _Plugin:
    """A plugin. Each process of its executable gets its own gRPC server, until the process ends."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    def write_executable(self, path: Path) -> None:
        """Write the plugin's executable."""
        script = _SCRIPT.format(port=self._listening.getsockname()[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -S -c {shlex.quote(script)}\n")
        path.chmod(0o755)

    def close(self) -> None:
        """Accept no more processes."""
        self._listening.close()

    def _grpc_server(self) -> grpc.Server:
        raise NotImplementedError

    def _listen(self) -> None:
        while True:
            try:
                started, _ = self._listening.accept()
            except OSError:  # The socket is closed.
                return
            threading.Thread(target=self._serve, args=(started,), daemon=True).start()

    def _serve(self, started: socket.socket) -> None:
        server = self._grpc_server()
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with started:
            started.sendall(f"{port}\n".encode())
            started.recv(1)  # It returns when the executable has ended.
        server.stop(grace=None)


class ProviderPlugin(_Plugin):
    """The AWS provider.

    Attributes:
        before: Called with the method (`Create`, `Delete` ...) and the URN before each call for a resource.
        after: Called with the same after the call, before its response is sent.
    """

    def __init__(self, server: Server) -> None:
        self.before: Callable[[str, str], None] = lambda _method, _urn: None
        self.after: Callable[[str, str], None] = lambda _method, _urn: None
        self._server = server
        super().__init__()

    def _grpc_server(self) -> grpc.Server:
        def notify(moment: str, method: str, request: Any) -> None:
            if getattr(request, "urn", "") and not getattr(request, "preview", False):
                getattr(self, moment)(method, request.urn)

        server = grpc.server(
            ThreadPoolExecutor(max_workers=16),
            interceptors=[ReportRefusals(notify)],
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        )
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(self._server.client), server)
        return server


class _PythonLanguage(language_pb2_grpc.LanguageRuntimeServicer):
    """The part of the language plugin that `pulumi import` calls: a Python program needs no plugins."""

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        return language_pb2.GetRequiredPackagesResponse()


class LanguagePlugin(_Plugin):
    """The plugin `pulumi-language-python` of an installed CLI, which the Automation API does not need."""

    def _grpc_server(self) -> grpc.Server:
        server = grpc.server(ThreadPoolExecutor(max_workers=4))
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(_PythonLanguage(), server)
        return server
