"""The document of a subject's volatile fields as it is stored: the values of one path together, form 2.

A canonical object: ``items`` are the keys in order, ``paths`` the values of each path in that order, ``without`` the
positions of the items that lack a path. Dates stand beside dates, so that a day's document packs to two thirds of what
``{key: {path: value}}`` does, which is form 1. A sealed document has a form of its own (`collector.sealer`).
"""

from __future__ import annotations

import orjson

from collector.canonical import canonical
from collector.errors import IntegrityError
from collector.model import Json

FORM = 2


def in_columns(document: bytes) -> bytes:
    """Return *document*, ``{key: {path: value}}`` as JSON, as it is stored."""
    fields: dict[str, dict[str, Json]] = orjson.loads(document)
    items = sorted(fields)
    paths = sorted({path for values in fields.values() for path in values})
    without = {path: [at for at, key in enumerate(items) if path not in fields[key]] for path in paths}
    return canonical(
        {
            "version": FORM,
            "items": items,
            "paths": {path: [fields[key][path] for key in items if path in fields[key]] for path in paths},
            "without": {path: positions for path, positions in without.items() if positions},
        }
    )


def by_item(document: Json) -> dict[str, Json]:
    """Return the stored *document*, parsed, as ``{key: {path: value}}``; forms that are not in columns as they are.

    Raises `IntegrityError` for what is no such document.
    """
    if not isinstance(document, dict):
        raise IntegrityError("volatile fields are not stored as an object")
    # No document of form 1 holds a number beside its objects.
    if type(document.get("version")) is not int:
        return document
    try:
        if document["version"] != FORM:
            raise ValueError(f"form {document['version']} is not known")
        found: dict[str, Json] = {key: {} for key in document["items"]}
        for path, values in document["paths"].items():
            lacking = set(document["without"].get(path, ()))
            having = [key for at, key in enumerate(document["items"]) if at not in lacking]
            for key, value in zip(having, values, strict=True):
                found[key][path] = value
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise IntegrityError(f"volatile fields cannot be read: {type(error).__name__}: {error}") from error
    return found
