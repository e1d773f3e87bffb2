from typing import Any

import pytest

from imagecycle.cloud.namespace import Namespace, Request, decide
from imagecycle.errors import ImagecycleError

WANTED = Namespace("Images", "What they are", {"a_x": {"title": "X", "type": "string"}})


def there(**changes: Any) -> dict[str, Any]:
    """As Glance shows what :func:`decide` had it create."""
    return {
        **WANTED.fields(),
        "owner": "ours",
        "resource_type_associations": [{"name": "OS::Glance::Image", "created_at": "now"}],
        "properties": {"a_x": {"title": "X", "type": "string"}},
        **changes,
    }


def plan(document: dict[str, Any] | None) -> list[str]:
    return [
        f"{' and '.join(one.verb for one in call.requests)}: {call}"
        for call in decide(WANTED, document, "ours", ["a_"])
    ]


def test_a_cloud_without_the_namespace_gets_it_whole_in_one_request() -> None:
    (call,) = decide(WANTED, None, "ours")
    (request,) = call.requests
    assert request == Request("namespace", "create")
    assert request.fields["properties"] == WANTED.properties
    assert request.fields["resource_type_associations"] == [{"name": "OS::Glance::Image"}]


def test_nothing_is_done_where_all_is_in_place() -> None:
    assert plan(there()) == []


def test_only_what_differs_is_changed() -> None:
    assert plan(there(description="Old", visibility="private")) == [
        "update: change description, visibility of namespace imagecycle"
    ]
    assert plan(there(resource_type_associations=[])) == [
        "associate: associate namespace imagecycle with OS::Glance::Image"
    ]
    assert plan(there(properties={"a_x": {"title": "Old", "type": "string"}})) == [
        "delete and create: change property a_x"
    ]
    assert plan(there(properties={})) == ["create: add property a_x"]


def test_a_default_that_glanceclient_adds_is_no_difference() -> None:
    properties = {"a_x": {"title": "X", "type": "string", "uniqueItems": False}}
    assert plan(there(properties=properties)) == []


def test_definitions_of_ours_that_are_gone_are_removed_and_others_stay() -> None:
    properties = {**WANTED.properties, "a_old": {}, "theirs": {}}
    assert plan(there(properties=properties)) == ["delete: remove property a_old"]


def test_the_namespace_of_another_project_is_left_alone() -> None:
    with pytest.raises(ImagecycleError, match="belongs to project theirs"):
        plan(there(owner="theirs", description="Old"))
    assert plan(there(owner="theirs")) == []
