"""How Sphinx makes the book and the manual page; ``scripts/docs`` runs it."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent / "lib")]

from imagecycle import __version__  # noqa: E402

project = "imagecycle"
copyright = "its contributors, Apache License 2.0"
version = release = __version__
extensions = ["command_pages", "model_tables"]
exclude_patterns = ["_build", "jenkins"]
nitpicky = True
highlight_language = "none"
smartquotes = False
today = " "  # the manual page is kept in the repository: it changes only when its content does

html_theme = "alabaster"
html_theme_options = {
    "description": "Operating-system images of an OpenStack cloud",
    "fixed_sidebar": True,
    "page_width": "70rem",
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_show_sourcelink = False

man_pages = [
    (
        "manual-page",
        "imagecycle",
        "operating-system images of an OpenStack cloud, from the installer to end of life",
        "",
        1,
    )
]
