"""Link headers (RFC 8288 section 3), and which addresses may be followed."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urljoin, urlsplit

from collector.errors import Invalid

_WORD = r"[\w!#$&+\-.^`|~*]+"
_VALUE = r"\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*"
_LINK = re.compile(rf"[\s,]*<([^<>]*)>((?:\s*;\s*{_WORD}(?:\s*=\s*(?:{_VALUE}))?)*)\s*+;?\s*+(?:,|$)")
_PARAMETER = re.compile(rf";\s*({_WORD})(?:\s*=\s*({_VALUE}))?")
_PORTS = {"https": 443, "http": 80}


def next_link(header: str) -> str | None:
    """Return the target of the link whose relation is ``next``; None when the header, well-formed, has none.

    Raises `Invalid` for a header that cannot be read, and for two different next links: both could hide a page.
    """
    found = set()
    at = 0
    while header[at:].strip(" \t,"):
        link = _LINK.match(header, at)
        if link is None:
            raise Invalid("the Link header cannot be read, so whether there is more is not known")
        if "next" in _relations(link[2]):
            found.add(link[1])
        at = link.end()
    if len(found) > 1:
        raise Invalid("the Link header names two next pages")
    return found.pop() if found else None


def _relations(parameters: str) -> list[str]:
    # Of several `rel` parameters all but the first are passed over (section 3.3).
    for name, value in _PARAMETER.findall(parameters):
        if name.lower() == "rel":
            return [each.lower() for each in re.sub(r"\\(.)", r"\1", value.strip('"')).split()]
    return []


def followed(target: str, current: str, base: str) -> str:
    """Return the absolute address that *target*, found in the answer to *current*, names.

    Raises `Invalid` unless it is on the same scheme, host and port as *base*, without a user: credentials go along.
    """
    try:
        absolute = urljoin(current, target)
        parts, home = urlsplit(absolute), urlsplit(base)
        same = _origin(parts) == _origin(home)
    except ValueError:
        raise Invalid("the address of the next page cannot be read") from None
    if parts.username is not None or parts.password is not None or not same:
        raise Invalid(
            "the next address is on another host, scheme or port; it is not followed",
            hint="What answered may not be the source; see what is between here and there.",
        )
    return absolute


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme.lower())
