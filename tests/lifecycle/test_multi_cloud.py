"""Publishing to several clouds at the same time."""

import signal
import threading
from pathlib import Path

import pytest

from families import FAMILY
from imagecycle.lifecycle import multi_cloud
from imagecycle.site import Site


def test_an_interrupt_says_which_cloud_keeps_it_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    said: list[str] = []

    def publish(*_: object, cloud: str, **__: object) -> None:
        if cloud == "quiet":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            assert answered.wait(30)

    def say(text: str) -> None:
        said.append(text)
        answered.set()

    monkeypatch.setattr(multi_cloud, "publish", publish)
    monkeypatch.setattr(multi_cloud.log, "say", say)
    monkeypatch.setattr(multi_cloud, "_PATIENCE", 0.2)
    clouds = ["quick", "quiet"]
    with pytest.raises(KeyboardInterrupt):
        multi_cloud.publish_in_clouds(
            FAMILY, Site(home=tmp_path), clouds=clouds, release=None, dry_run=False
        )
    assert [line.partition(", so")[0] for line in said] == [
        "interrupted; waiting at most 60 s for quiet to answer"
    ]
