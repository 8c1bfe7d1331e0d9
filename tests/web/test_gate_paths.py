"""Where a sign-in goes on to: whatever is asked for, a browser stays on our host."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from collector.gate.signing_in import asked_for, local

HERE = "https://evidence.example.org/sign-in"


def gone_to(path):
    """Return the host that a browser goes to by *path*: it takes ``\\`` for ``/``, and skips tabs and line ends."""
    seen = "".join(each for each in path.strip() if each not in "\t\r\n").replace("\\", "/")
    return urlsplit(urljoin(HERE, seen)).netloc


@given(st.one_of(st.text(max_size=40), st.text(alphabet="/\\:.@\t\n ae", max_size=12)))
@example("//elsewhere.example")
@example("/\\elsewhere.example")
@example("/\t/elsewhere.example")
@example("https:elsewhere.example")
@example(" //elsewhere.example")
def test_whatever_is_asked_for_the_browser_stays_here(text):
    assert gone_to(local(text)) == "evidence.example.org"
    assert urlsplit(asked_for(text)).path == "/sign-in"


@given(st.from_regex(r"/[a-z][a-z0-9/._-]*(\?[a-z0-9=&%.-]*)?", fullmatch=True))
def test_a_path_of_ours_is_kept_as_it_is(path):
    assert local(path) == path
