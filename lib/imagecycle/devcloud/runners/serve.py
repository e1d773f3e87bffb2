"""Serve one OpenStack API with its WSGI application.

Arguments: the descriptor of the pid file, the application's module, host, port, and the arguments
for the application.
"""

import contextlib
import importlib
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagecycle.devcloud.runners import pidfile, turns
else:
    import pidfile
    import turns


ON_SQLITE = ("keystone.", "glance.")


def main() -> None:
    """Hold the pid file, listen, and serve until SIGTERM."""
    descriptor, module, host, port, *argv = sys.argv[1:]
    pidfile.hold(int(descriptor))
    serve(module, host, int(port), argv)


def serve(module: str, host: str, port: int, argv: Sequence[str] = ()) -> None:
    """Listen on ``host:port`` and answer with the module's ``application``.

    :param argv: what the application shall find in ``sys.argv``: Keystone, Nova and Cinder read it
        when they are imported, and give up on unknown words.
    """
    sys.argv[1:] = argv
    wsgi = importlib.import_module("cheroot.wsgi")
    if module.startswith(ON_SQLITE):
        turns.take()
    application = importlib.import_module(module).application
    if module.startswith("neutron."):
        # Its agents load these; without them the first list of ports fails.
        importlib.import_module("neutron.db.models.port_forwarding")
        importlib.import_module("sqlalchemy.orm").configure_mappers()
        bind_without_agents()
    server = wsgi.Server(
        (host, port), keeping_connections(application), numthreads=8, request_queue_size=64
    )
    server.shutdown_timeout = 1
    # A connection that is closed for being idle just when it is used again answers 500; by default
    # that happens after 10 seconds, and to every one beyond the tenth.
    server.timeout = 120
    server.keep_alive_conn_limit = 200
    signal.signal(signal.SIGTERM, terminated)
    with contextlib.suppress(KeyboardInterrupt):
        server.safe_start()


def bind_without_agents() -> None:
    """Have Neutron take every port for bound: no agent says that it can reach its network, and a
    server with a port that nobody binds fails."""

    def bind_port(_driver: object, context: Any) -> None:
        for segment in context.segments_to_bind[:1]:
            context.set_binding(segment["id"], "ovs", {}, "ACTIVE")

    base = importlib.import_module("neutron.plugins.ml2.drivers.mech_agent")
    base.AgentMechanismDriverBase.bind_port = bind_port


class Body:
    """The body of a request, which stays open."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Any:
        return iter(self._stream)

    def close(self) -> None:
        """Do nothing."""


def keeping_connections(application: Any) -> Any:
    """The application, unable to close the connection that its request came by.

    Glance closes the body of an upload. Here that is the connection: the next request on it, of any
    client that keeps connections, would be answered with 500.
    """

    def keeping(environ: Any, start_response: Any) -> Any:
        return application({**environ, "wsgi.input": Body(environ["wsgi.input"])}, start_response)

    return keeping


def terminated(_number: int, _frame: object) -> None:
    """End the server the way that it ends on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
