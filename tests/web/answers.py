"""What a page says, as people read it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

from tests.web.world import ENGAGEMENT

HERE = f"/e/{ENGAGEMENT}"
DAY = datetime(2025, 3, 1, tzinfo=UTC)


def text(answer) -> str:
    """Return what a page that was found says."""
    assert answer.status_code == 200, answer.text[-600:]
    return said(answer)


def said(answer) -> str:
    """Return what a page says on one line, its markup taken away."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def lowered(answer) -> str:
    """Return what a page says, in lower case: it begins the sentence of an error with a capital."""
    return said(answer).lower()
