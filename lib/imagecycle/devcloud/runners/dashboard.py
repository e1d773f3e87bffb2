"""Serve Horizon, or run one of its management commands, with settings from a file.

Arguments: the descriptor of the pid file, the settings' file, host and port; or ``manage``, the
settings' file, and the command with its words. Horizon looks for its settings in its own folder,
which several clouds share; so the file is put in the place of that module.
"""

import contextlib
import importlib
import importlib.util
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagecycle.devcloud.runners import pidfile
else:
    import pidfile

_LOCAL_SETTINGS = "local.local_settings"
"""What openstack_dashboard/settings.py imports them as"""


def main() -> None:
    """Serve until SIGTERM, or manage."""
    first, settings, *words = sys.argv[1:]
    sys.argv[1:] = []
    if first == "manage":
        use(settings)
        management: Any = importlib.import_module("django.core.management")
        management.execute_from_command_line(["manage.py", *words])
        return
    pidfile.hold(int(first))
    use(settings)
    host, port = words
    serve(host, int(port))


def use(path: str) -> None:
    """Have Horizon find these settings."""
    spec = importlib.util.spec_from_file_location(_LOCAL_SETTINGS, path)
    if spec is None or spec.loader is None:
        sys.exit(f"cannot read {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[_LOCAL_SETTINGS] = module
    os.environ["DJANGO_SETTINGS_MODULE"] = "openstack_dashboard.settings"


def serve(host: str, port: int) -> None:
    """Listen on ``host:port``, and answer with Horizon and its static files."""
    wsgi: Any = importlib.import_module("cheroot.wsgi")
    server = wsgi.Server((host, port), application(), numthreads=8, request_queue_size=64)
    server.shutdown_timeout = 1
    server.timeout = 120
    server.keep_alive_conn_limit = 200
    signal.signal(signal.SIGTERM, terminated)
    with contextlib.suppress(KeyboardInterrupt):
        server.safe_start()


def application() -> Any:
    """Horizon, with the static files that were collected; elsewhere a web server serves these."""
    horizon: Any = importlib.import_module("django.core.wsgi").get_wsgi_application()
    handlers: Any = importlib.import_module("django.contrib.staticfiles.handlers")
    static: Any = importlib.import_module("django.views.static")
    settings: Any = importlib.import_module("django.conf").settings

    class Collected(handlers.StaticFilesHandler):  # type: ignore[misc]
        def serve(self, request: Any) -> Any:
            path = self.file_path(request.path)
            return static.serve(request, path, document_root=settings.STATIC_ROOT)

    return Collected(horizon)


def terminated(_number: int, _frame: object) -> None:
    """End the server the way that it ends on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
