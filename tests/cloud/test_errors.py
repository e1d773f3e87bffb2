import types

import pytest
from keystoneauth1 import exceptions
from requests.exceptions import JSONDecodeError

from imagecycle.cloud.errors import Protected, Refused, explained
from imagecycle.errors import ImagecycleError, Unreachable


def message(error: Exception) -> ImagecycleError:
    with pytest.raises(ImagecycleError) as caught, explained("devcloud", "list images"):
        raise error
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (exceptions.Unauthorized(), Refused, "Keystone refuses these credentials"),
        (exceptions.Forbidden("no"), Refused, "cannot list images: 403 no"),
        (exceptions.RequestEntityTooLarge("full"), Refused, "413 full"),
        (exceptions.ServiceUnavailable("gone"), Unreachable, "503 gone"),
        (exceptions.InternalServerError("oops"), Unreachable, "500 oops"),
        (exceptions.ConnectTimeout("x"), Unreachable, "no answer in time"),
        (
            exceptions.ConnectFailure("HTTPConnectionPool: [Errno 111] Connection refused"),
            Unreachable,
            "the connection was refused",
        ),
        (exceptions.UnknownConnectionError("Broken pipe", None), Unreachable, "was cut"),
        (exceptions.EndpointNotFound(), ImagecycleError, "catalog has no such service"),
        (exceptions.SSLError("bad certificate"), Unreachable, "bad certificate"),
        (exceptions.MissingAuthPlugin(), ImagecycleError, "cannot list images"),
        (JSONDecodeError("Expecting value", "<html>", 0), Unreachable, "is no JSON document"),
    ],
)
def test_every_failure_of_a_cloud_is_said_in_one_line(
    error: Exception, kind: type[ImagecycleError], words: str
) -> None:
    found = message(error)
    assert type(found) is kind
    assert found.message.startswith("devcloud: ")
    assert words in found.message
    assert "\n" not in found.message


def test_the_reason_is_read_from_glances_page() -> None:
    page = (
        "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n"
        "  <h1>403 Forbidden</h1>\n  You &lt;may&gt; not.<br /><br />\n </body>\n</html>"
    )
    error = exceptions.Forbidden("Forbidden")
    error.response = types.SimpleNamespace(headers={"Content-Type": "text/html"}, text=page)
    assert message(error).message == "devcloud: cannot list images: 403 You <may> not."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"forbidden": {"code": 403, "message": "Policy says no."}}', "403 Policy says no."),
        ('{"error": {"code": 403, "message": "You may not."}}', "403 You may not."),
        ("[]", "403 Forbidden"),
        ('{"forbidden": "no"}', "403 Forbidden"),
        ("{", "403 Forbidden"),
    ],
)
def test_the_reason_is_read_from_novas_document(body: str, words: str) -> None:
    error = exceptions.Forbidden("Forbidden")
    error.response = types.SimpleNamespace(headers={"Content-Type": "application/json"}, text=body)
    assert message(error).message == f"devcloud: cannot list images: {words}"


def test_the_development_cloud_is_started_by_its_command() -> None:
    assert "imagecycle devcloud start" in message(exceptions.ConnectFailure("x")).hint


@pytest.mark.parametrize(
    "reason",
    ["Attribute 'imagecycle_family' is reserved.", "Property imagecycle_family is protected"],
)
def test_a_property_that_glance_protects_is_named_with_the_way_out(reason: str) -> None:
    with pytest.raises(Protected, match="403") as caught, explained("cloud", "change an image"):
        raise exceptions.Forbidden(reason)
    assert "protects the property imagecycle_family" in caught.value.hint
