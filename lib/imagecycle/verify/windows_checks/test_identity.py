"""Two servers from one image are two, to domain, update server and key management."""

from imagecycle.verify.windows_fixtures import Both, Declared, Said

GENERALISED = "IMAGE_STATE_COMPLETE"


def test_machine_sids_differ(both: Both) -> None:
    """Only one of them can join the domain; rights of one hold on the other."""
    one, other = (said["identity"]["sid"] for said in both)
    assert one != other


def test_machine_guids_differ(both: Both) -> None:
    """Monitoring, licence servers and encryption take both servers for one."""
    one, other = (said["identity"]["guid"] for said in both)
    assert one and one != other


def test_clients_of_the_update_server_differ(both: Both) -> None:
    """The update server shows one of all servers, and most get no updates."""
    one, other = (said["identity"]["updates"] for said in both)
    assert not one or one != other


def test_names_differ(both: Both) -> None:
    """The network refuses the second server: its name is taken."""
    one, other = (said["name"] for said in both)
    assert one != other


def test_setup_has_ended(said: Said) -> None:
    """Services do not start and updates fail: Windows believes that it is being installed."""
    found = said["setup"]
    assert (found["image_state"], found["in_progress"]) == (GENERALISED, 0)


def test_was_generalised(said: Said) -> None:
    """All servers are copies of one machine, and the domain takes them for it."""
    assert said["setup"]["clone_tag"], "sysprep has left no mark"


def test_edition_is_the_declared_one(said: Said, declared: Declared) -> None:
    """Users get another edition than they were promised, and licences do not fit."""
    found = said["release"]
    assert (found["edition"], found["kind"]) == (declared.edition, declared.installation)
