"""Rendering: one environment of templates, in which nothing that evidence says can become markup or deceive the eye.

Every value a template puts out goes through `text_of`: what is not markup of our own is put into words, its unseen
characters are escapes, it is cut to what a page can bear, and then Jinja escapes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from collector.clock import parse_instant
from collector.gate import Visit
from collector.model import Json, Period, show_digest
from collector.words import came_of, fell_short, plural, safe, size, span

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
MOST_SHOWN = 2_000
"""How many characters of one value a page shows."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go: *current* is ``page`` for the page that is shown, ``true`` for the part that it belongs to."""

    label: str
    href: str
    current: str = ""


def page(
    request: Request, visit: Visit | None, template: str, *, status_code: int = 200, **context: Any
) -> HTMLResponse:
    """Return *template* rendered with *context* and what every page has: *visit*, its engagement, ``nav``, ``csrf``.

    ``engagement`` in *context* is the `Engagement` that the page is about, if it is about one; ``api`` says by which
    segments below it, and with which query, the API gives the same answer.
    """
    engagement = context.setdefault("engagement", None)
    context.setdefault("api", None)
    text = (
        _environment()
        .get_template(template)
        .render(
            context,
            visit=visit,
            nav=_nav(request.url.path, engagement.name) if engagement else [],
            csrf=request.app.state.gate.csrf(request),
            path=request.url.path,
            query=request.query_params,
        )
    )
    return HTMLResponse(text, status_code)


def address(*segments: object, **query: object) -> str:
    """Return the address of a page: *segments* are quoted, and of *query* what is empty is left out."""
    asked = urlencode({name.rstrip("_"): _typed(value) for name, value in query.items() if value not in (None, "")})
    return "/" + "/".join(quote(str(each), safe=":@") for each in segments) + (f"?{asked}" if asked else "")


def instant(at: datetime) -> str:
    """Return *at* as every page writes it, in UTC: ``2026-03-14 03:00:12Z``; milliseconds only when there are any."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}" + (f".{at.microsecond // 1000:03d}" if at.microsecond else "") + "Z"


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """Return *text* on one line, with what nobody can see as escapes, cut to *most* characters, and saying so."""
    if len(text) <= most:
        return safe(text)
    return f"{safe(text[:most])}… (the first {most:,} of {len(text):,} characters)"


def text_of(value: Any) -> Any:  # noqa: PLR0911 - one line a type
    """Return *value* in the words of a page; markup of our own stays as it is."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, bytes):
        return show_digest(value)
    return shown(str(value))


def as_json(value: Json, most: int = MOST_SHOWN) -> str:
    """Return a value of evidence: a text as it is, anything else as JSON; cut to *most* characters."""
    return shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True), most)


def percent(part: int, whole: int) -> str:
    """Return *part* of *whole* in per cent, rounded so that only all of it is 100 and only none of it is 0."""
    if not whole:
        return "–"
    if part in (0, whole):
        return f"{100 * part // whole}%"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%"


def _next_day(day: date) -> date:
    return day + timedelta(days=1)


def _typed(value: object) -> str:
    if isinstance(value, datetime):
        at = value.astimezone(UTC)
        return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")
    return str(value)


def _period(period: Period) -> str:
    """Return *period* as text where no markup may stand: in days where it is of whole days."""
    edges = (period.start, period.end)
    whole = all(each == each.replace(hour=0, minute=0, second=0, microsecond=0) for each in edges)
    return " to ".join(f"{each:%Y-%m-%d}" if whole else instant(each) for each in edges)


def _nav(path: str, name: str) -> list[Link]:
    """Return the parts of an engagement; that which *path* lies in is the current one."""
    found = []
    for label, *parts in _PARTS:
        href = address("e", name, *parts)
        bare = "/" + "/".join(["e", name, *parts])
        inside = bool(parts) and path.startswith(f"{bare}/")
        found.append(Link(label, href, "page" if path == bare else "true" if inside else ""))
    return found


_PARTS = (
    ("Overview",),
    ("Evidence", "kinds"),
    ("Gaps", "gaps"),
    ("Runs", "runs"),
    ("Who had access", "access"),
    ("Populations", "populations"),
    ("Requests", "requests"),
    ("Uploads", "uploads"),
    ("Reviews", "reviews"),
    ("Bundle", "bundle"),
)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text_of,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"count": "{:,}".format, "json": as_json, "instant": instant, "shown": shown, "size": size}
    found.filters |= {"span": span, "plural": plural, "came_of": came_of, "percent": percent}
    found.filters |= {"moment": parse_instant, "seconds": lambda length: timedelta(seconds=length), "period": _period}
    found.filters |= {"typed": escape}
    found.filters |= {"fell_short": fell_short, "next_day": _next_day}
    found.globals |= {"address": address, "static": _static()}
    return found


def _static() -> Mapping[str, str]:
    """Return the address of every static file: with a piece of its digest, so that a new one is never an old one."""
    return {
        each.name: f"/static/{each.name}?v={sha256(each.read_bytes()).hexdigest()[:12]}"
        for each in sorted(STATIC.iterdir())
    }
