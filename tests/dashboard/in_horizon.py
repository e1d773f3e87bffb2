"""Runs in Horizon's own Python: has Horizon answer requests without a web server or a browser.

Arguments: the runner of the development cloud's dashboard, and the file of Horizon's settings. Each
line of the input is a request as JSON, each line of the output an answer; see ``horizon_pages.py``.
"""

import contextlib
import datetime
import importlib.util
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any


def main(runner: str, settings: str) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Horizon prints is no answer
    spec = importlib.util.spec_from_file_location("dashboard_runner", runner)
    assert spec is not None
    assert spec.loader is not None
    sys.path.insert(0, str(Path(runner).parent))
    use: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(use)
    use.use(settings)
    use.application()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What Horizon answers."""
    from django.test import Client, override_settings

    with override_settings(ALLOWED_HOSTS=["testserver"], **request["settings"]):
        client = Client(raise_request_exception=False, headers=request["headers"])
        log_in(client, request)
        raised: list[str] = []
        with noticed(raised):
            began = time.perf_counter()
            got = client.get(request["path"])
            seconds = time.perf_counter() - began
    return {
        "status": got.status_code,
        "body": got.content.decode(),
        "location": got.headers.get("Location", ""),
        "seconds": seconds,
        "raised": "\n".join(raised),
    }


def all_but_compute(rules: Any, _request: Any, _target: Any = None) -> bool:
    """A policy, for ``POLICY_CHECK_FUNCTION``: nothing of Nova's is allowed."""
    return all(service != "compute" for service, _rule in rules)


@contextlib.contextmanager
def noticed(raised: list[str]) -> Any:
    """The exceptions that led to a 500."""
    from django.core import signals

    def notice(**_: object) -> None:
        raised.append(traceback.format_exc())

    signals.got_request_exception.connect(notice)
    try:
        yield
    finally:
        signals.got_request_exception.disconnect(notice)


def log_in(client: Any, request: dict[str, Any]) -> None:
    """Give the client the session of a user whom Keystone has let in."""
    from django.conf import settings
    from django.contrib import auth
    from openstack_auth.user import Token

    token = Token()
    token.user = {"id": "user", "name": "alice", "password_expires_at": None}
    token.user_domain_id = token.user_domain_name = "default"
    token.id = request["token"]
    token.unscoped_token = request["token"]
    token.expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    project = {"id": request["project"], "name": "alpha", "domain_id": "default"}
    token.project = token.tenant = {**project, "is_admin_project": False}
    token.domain = {"id": None, "name": None}
    token.is_federated = False
    token.roles = [{"name": role} for role in request["roles"]]
    token.serviceCatalog = request["catalog"]
    token.system_scoped = False
    session = client.session
    session["token"] = token
    session["unscoped_token"] = request["token"]
    session["user_id"] = "user"
    session["region_endpoint"] = request["keystone"]
    session["services_region"] = "RegionOne"
    session[auth.SESSION_KEY] = "user"
    session[auth.BACKEND_SESSION_KEY] = "openstack_auth.backend.KeystoneBackend"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key


if __name__ == "__main__":
    main(*sys.argv[1:])
