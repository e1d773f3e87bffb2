from pathlib import Path

import pytest

from imagecycle.errors import InvalidFile
from imagecycle.jobs import plugins, rendering
from imagecycle.site import JOBS


def test_every_plugin_that_a_job_needs_is_in_the_file() -> None:
    rendered = rendering.render_all(JOBS)
    needed = plugins.used([*rendered.jobs.values(), *rendered.views.values()])
    assert len(needed) >= 5
    assert needed <= plugins.read().keys()


def test_a_class_that_nobody_knows_is_named() -> None:
    xml = "<project><builders><org.odd__one.Step/><hudson.tasks.Shell/></builders></project>"
    assert plugins.used([xml]) == {"class org.odd_one.Step"}


def test_a_plugin_is_known_by_its_attribute_or_its_class() -> None:
    xml = (
        '<project><a plugin="mailer@1.0"/><hudson.plugins.build__timeout.BuildTimeoutWrapper/>'
        '<strategy class="hudson.plugins.git.GitSCM"/></project>'
    )
    assert plugins.used([xml]) == {"mailer", "build-timeout", "git"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("junit\n", ":1: expected id:version, found junit"),
        ("# x\njunit:1\njunit:2\n", ":3: junit stands here a second time"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "plugins.txt"
    file.write_text(text)
    with pytest.raises(InvalidFile) as raised:
        plugins.read(file)
    assert words in raised.value.message
