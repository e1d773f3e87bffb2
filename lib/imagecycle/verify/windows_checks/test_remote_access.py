"""Remote desktop and WinRM are as declared, and safe."""

from imagecycle.verify.windows_fixtures import Both, Declared, Said


def test_remote_desktop_is_as_declared(said: Said, declared: Declared) -> None:
    """Users cannot log in at all, or strangers are asked for a password by a closed image."""
    found = said["remote_desktop"]
    is_open = found["denied"] == 0 and found["listening"]
    assert is_open is declared.remote_desktop, f"remote desktop: {found}"


def test_remote_desktop_asks_before_it_opens_a_session(said: Said, declared: Declared) -> None:
    """Whoever reaches the port loads the server with logon screens, or attacks it there."""
    if declared.remote_desktop:
        assert said["remote_desktop"]["network_level"] == 1, "no network level authentication"


def test_winrm_listens_over_https_alone(said: Said, declared: Declared) -> None:
    """Passwords and commands pass over the network for everybody to read."""
    listeners = said["winrm"]["listeners"]
    plain = [one for one in listeners if "Transport=HTTPS" not in one]
    assert plain == []
    assert bool(listeners) is declared.winrm, f"listeners: {listeners}"


def test_winrm_takes_no_plain_passwords(said: Said) -> None:
    """A password is sent to whoever pretends to be the server."""
    found = said["winrm"]
    on = [name for name in ("basic", "unencrypted") if str(found[name]).lower() == "true"]
    assert on == []


def test_certificates_are_the_instances_own(both: Both) -> None:
    """Whoever has one server can pretend to be every other."""
    one, other = ({cert["thumbprint"] for cert in said["certificates"]} for said in both)
    assert sorted(one & other) == []


def test_remote_desktop_certificates_differ(both: Both, declared: Declared) -> None:
    """Whoever has one server can pretend to be every other."""
    one, other = (said["remote_desktop"]["certificate"] for said in both)
    if declared.remote_desktop:
        assert one != other


def test_firewall_is_on(said: Said) -> None:
    """Every service of the server can be reached from all its networks."""
    assert [name for name, state in said["firewall"].items() if state not in ("True", "1")] == []
