"""What a retirement promises, proven with a real Nova; only its hypervisors are pretended."""

import io
import json
import threading
from collections.abc import Iterator

import pytest

import terminal
from imagecycle.cloud import canary
from imagecycle.cloud.canary import Canaries
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import prove as stage
from imagecycle.lifecycle.prove import NotProven
from integration import servers
from integration.conftest import ComputeBox
from integration.proxy import Fault

pytestmark = pytest.mark.integration

DATA = b"a disk that nobody boots" * 1000


@pytest.fixture
def image(compute_box: ComputeBox) -> str:
    """Shared with alice's project, which has not accepted it."""
    made = compute_box.glance.create(
        {
            "name": "retired",
            "disk_format": "raw",
            "container_format": "bare",
            "visibility": "shared",
            "min_ram": 64,
            "min_disk": 1,
        }
    )
    compute_box.glance.upload(made.id, io.BytesIO(DATA), len(DATA), lambda _: None)
    compute_box.glance.add_members(made.id, [compute_box.alice.project_id])
    return made.id


@pytest.fixture(autouse=True)
def nothing_is_left(compute_box: ComputeBox) -> Iterator[None]:
    yield
    servers.await_no_canary(compute_box.admin)


def prove(
    box: ComputeBox, image: str, user: str = "devcloud-alice", stranger: str = "devcloud-bob"
) -> list[tuple[str, str]]:
    proofs = stage.prove("devcloud", box.site, image, user_cloud=user, stranger_cloud=stranger)
    return [(proof.who, proof.what) for proof in proofs]


def test_a_member_can_go_on_and_a_stranger_sees_nothing(
    compute_box: ComputeBox, image: str
) -> None:
    assert prove(compute_box, image) == [
        ("user", "reads the image"),
        ("user", "downloads its 0.0 MiB, and they are what was published"),
        ("user", "starts a canary server, small"),
        ("user", "rebuilds the canary"),
        ("user", "resizes the canary to medium"),
        ("stranger", "does not find the image"),
        ("stranger", "cannot start a server from it"),
    ]


def test_a_rebuild_fails_for_who_is_no_member_any_more(compute_box: ComputeBox, image: str) -> None:
    """So the proof by rebuilding is one: membership makes the difference."""
    canaries = Canaries(compute_box.alice)
    flavour = canaries.flavours(compute_box.glance.image(image))[0]
    with canaries.server(image, flavour) as server:
        compute_box.glance.remove_members(image, [compute_box.alice.project_id])
        with pytest.raises(Refused, match=r"image|Image"):
            canaries.rebuild(server, image)


def test_a_stranger_who_sees_the_image_refutes_the_proof(
    compute_box: ComputeBox, image: str
) -> None:
    """An administrator sees everything: so he is no stranger."""
    foreign = Glance(compute_box.bob)
    made = foreign.create(
        {"name": "x", "disk_format": "raw", "container_format": "bare", "visibility": "shared"}
    )
    foreign.upload(made.id, io.BytesIO(DATA), len(DATA), lambda _: None)
    foreign.add_members(made.id, [compute_box.alice.project_id])
    with pytest.raises(NotProven, match=rf"devcloud sees image {made.id}, which is shared"):
        stage.prove(
            "devcloud-bob",
            compute_box.site,
            made.id,
            user_cloud="devcloud-alice",
            stranger_cloud="devcloud",
        )


def test_a_stranger_who_can_start_a_server_is_found_out(
    compute_box: ComputeBox, image: str
) -> None:
    canaries = Canaries(compute_box.bob)
    seen = compute_box.glance.image(image)
    flavour = canaries.flavours(seen)[0]
    assert canaries.is_refused(image, flavour)
    compute_box.glance.change(image, {"visibility": "community"})
    assert not canaries.is_refused(image, flavour)
    with pytest.raises(Refused):  # another reason tells nothing of the image
        canaries.is_refused(image, type(flavour)("no-such", "no-such", 1, 1, 1))


def test_data_that_is_not_what_was_published_refutes_the_proof(
    compute_box: ComputeBox, image: str
) -> None:
    store = compute_box.layout.data / "images"
    (file,) = store.glob(f"**/{image}")
    file.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(NotProven, match="is not what was published"):
        prove(compute_box, image)


@pytest.mark.parametrize(
    ("user", "stranger", "message"),
    [
        ("devcloud-bob", "devcloud-alice", "is not shared with project .* of devcloud-bob"),
        ("devcloud-alice", "devcloud-alice", "belong to the same project"),
        ("devcloud", "devcloud-bob", "belongs to the project that owns"),
        ("devcloud-alice", "devcloud-bobb", "unknown cloud: devcloud-bobb"),
    ],
)
def test_who_cannot_bear_witness_is_refused(
    compute_box: ComputeBox, image: str, user: str, stranger: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        prove(compute_box, image, user, stranger)
    assert caught.value.hint


def test_there_is_nothing_to_prove_on_a_public_image(compute_box: ComputeBox, image: str) -> None:
    compute_box.glance.change(image, {"visibility": "public"})
    with pytest.raises(UsageError, match="is public, not shared"):
        prove(compute_box, image)


def test_an_image_that_no_flavour_takes_is_said(compute_box: ComputeBox, image: str) -> None:
    compute_box.glance.change(image, {"min_ram": 10**6})
    with pytest.raises(ImagecycleError, match="flavours fits image"):
        prove(compute_box, image)


def through_proxy(box: ComputeBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let alice come through the proxy before Nova."""
    monkeypatch.setattr(
        type(box.alice), "endpoint", lambda _self, _service: f"{box.nova_proxy.url}/v2.1"
    )


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("POST", "/servers", answer=503), "503"),
        (Fault("POST", "/servers", lose_answer=True), "connection was cut"),
        (Fault("POST", "/action", answer=500), "500"),
        (Fault("POST", "/action", answer=409, after_matches=1), "409"),
        (Fault("POST", "/action", lose_answer=True), "connection was cut"),
    ],
    ids=["refused", "started unseen", "not rebuilt", "not resized", "rebuilt unseen"],
)
def test_whatever_nova_does_the_canary_is_deleted(
    compute_box: ComputeBox,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    message: str,
) -> None:
    through_proxy(compute_box, monkeypatch)
    compute_box.nova_proxy.faults.append(fault)
    with pytest.raises(ImagecycleError, match=message):
        prove(compute_box, image)
    servers.await_no_canary(compute_box.admin)


def test_a_canary_that_nova_does_not_delete_at_once_is_deleted(
    compute_box: ComputeBox, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it is just about to get its host: Nova answers 500 then."""
    through_proxy(compute_box, monkeypatch)
    compute_box.nova_proxy.faults.append(Fault("DELETE", "", answer=500, times=2))
    prove(compute_box, image)
    servers.await_no_canary(compute_box.admin)


def test_a_server_that_takes_too_long_is_given_up_and_deleted(
    compute_box: ComputeBox, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "STATE_LIMIT", 0.0)
    with pytest.raises(ImagecycleError, match=r"Nova did not start server .* within 0 s"):
        prove(compute_box, image)


def words(image: str) -> list[str]:
    who = ["--cloud", "devcloud", "--as", "devcloud-alice", "--stranger", "devcloud-bob"]
    return ["prove", image, *who]


def test_what_a_killed_proof_left_is_deleted_by_the_next(
    compute_box: ComputeBox, image: str
) -> None:
    with terminal.start(*words(image), home=compute_box.site.home) as process:
        tick = threading.Event()
        for _ in range(600):
            if servers.canaries(compute_box.admin):
                break
            tick.wait(0.05)
        process.kill()
    assert len(servers.canaries(compute_box.admin)) == 1
    assert len(prove(compute_box, image)) == 7
    servers.await_no_canary(compute_box.admin)


def test_the_command_tells_what_each_step_proves(compute_box: ComputeBox, image: str) -> None:
    done = terminal.run(*words(image), "--json", home=compute_box.site.home, limit=120)
    assert done.returncode == 0, done.stderr
    assert "devcloud-alice rebuilds the canary" in done.stderr
    assert "with a simulated hypervisor, only the API" in done.stderr
    assert len(json.loads(done.stdout)) == 7
