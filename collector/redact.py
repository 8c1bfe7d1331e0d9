"""Redaction: what must not be kept is replaced by ``[redacted:<rule>]`` before anything is hashed, stored or logged.

First the fields that the kind declares (rule ``declared``), then whatever looks like a secret, at any depth: by its
shape (`collector.secret_shapes`), or by the name it is given (rule ``named``: ``"client_secret": "..."``,
``{"name": "DB_PASSWORD", "value": "..."}``). Only the secret is replaced, not the text around it. JSON documents and
percent-encoded text inside strings are looked into; base64 is not, except for private keys.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache, partial
from urllib.parse import quote, unquote, unquote_to_bytes

import orjson

from collector import fields
from collector.errors import Invalid
from collector.model import Json
from collector.procedure import Kind
from collector.secret_shapes import ANCHOR, RULES, Rule, is_secret

Found = list[tuple[str, str]]

_DECLARED = "declared"
_NAMED = "named"
_SHORTEST = 8  # no pattern matches less
_SEPARATORS = re.compile("[^a-z0-9]")
_KEEP_IN_URL = "[]:"  # of a mark
_NAME_ENDINGS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secretkey",
    "secretaccesskey",
    "secrettext",
    "apikey",
    "apitoken",
    "accesstoken",
    "authtoken",
    "refreshtoken",
    "sessiontoken",
    "bottoken",
    "bearertoken",
    "runnerstoken",
    "hectoken",
    "privatekey",
    "presharedkey",
    "sharedaccesskey",
    "accountkey",
    "signingkey",
    "integrationkey",
    "connectionstring",
)
# Environment variables are named for people, so more endings are safe to trust there.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{4,}")
_VARIABLE_ENDINGS = ("token", "pass", "pwd", "encryptionkey", "masterkey", "secretkeybase", "dsn")
# What is searched for in every document, as bytes. An ending that ends with another adds nothing.
_ENDINGS = [
    each.encode()
    for each in (*_NAME_ENDINGS, *_VARIABLE_ENDINGS)
    if not any(other != each and other in each for other in (*_NAME_ENDINGS, *_VARIABLE_ENDINGS))
]
_ADDRESS = re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_NAME_FIELDS = ("name", "Name", "key", "Key", "ParameterKey", "OptionName")
_VALUE_FIELDS = ("value", "Value", "ParameterValue", "OptionValue")


def mark(rule: str) -> str:
    """Return what stands in the place of a value removed by *rule*."""
    return f"[redacted:{rule}]"


def redact(document: Json, kind: Kind) -> Found:
    """Remove declared and secret-shaped values from *document* (an item as read, of dicts and lists) in place.

    Returns each (path, rule) once, in the order found; never a value. For declared fields the path is the kind's own;
    for others the concrete one with ``[]`` for every position. Raises `Invalid` when it is nested too deeply to read.
    """
    found = [(path, _DECLARED) for path in fields.mark(document, kind.redact, mark(_DECLARED))]
    if _suspect(document):
        try:
            _walk(document, "", found)
        except RecursionError:
            raise Invalid("an item is nested too deeply to be searched for secrets") from None
    return list(dict.fromkeys(found))


def scrub(text: str) -> str:
    """Return *text* (a message, an error of a source) with everything secret-shaped replaced."""
    return _clean(text, "", [])


def without_people(text: str) -> str:
    """Return *text* (of a run's record, which is never erased) with every e-mail address in it replaced.

    People are in artifacts and item keys, which can be erased (design 6). Names without a shape are not seen.
    """
    return _ADDRESS.sub(mark("address"), text)


def _suspect(document: Json) -> bool:
    """Tell whether any rule or name could match in *document*: a look at its bytes spares most the walk."""
    try:
        text = orjson.dumps(document, default=repr).lower()
    except (TypeError, RecursionError):
        return True
    # What is encoded twice, or letter by letter, can hide everything; that is rare enough to look closely.
    if b"%25" in text or b"\\u00" in text:
        return True
    if b"%" in text:
        text += unquote_to_bytes(text)
    if b"\\" in text:
        text += text.replace(b"\\", b"")
        if b"u00" in text:
            return True
    return bool(ANCHOR.search(text)) or any(ending in text.translate(None, b"_-. ") for ending in _ENDINGS)


def _walk(node: Json, path: str, found: Found) -> None:
    if isinstance(node, list):
        for index, child in enumerate(node):
            node[index] = _value(child, f"{path}[]", found, None)
        return
    label = next((node[name] for name in _NAME_FIELDS if isinstance(node.get(name), str)), "")
    for key, child in list(node.items()):
        name = _rename(node, key, path, found)
        words = _promise(label if key in _VALUE_FIELDS else key)
        node[name] = _value(child, fields.join(path, name), found, words)


def _value(value: Json, path: str, found: Found, words: bool | None) -> Json:
    if isinstance(value, str):
        return _clean(value, path, found, words)
    if isinstance(value, bytes | bytearray):
        return _clean_bytes(bytes(value), path, found, words)
    if isinstance(value, tuple) or (isinstance(value, list) and words is not None):
        return [_value(each, f"{path}[]", found, words) for each in value]
    if isinstance(value, dict | list):
        _walk(value, path, found)
    return value


def _clean_bytes(value: bytes, path: str, found: Found, words: bool | None) -> bytes | str:
    # Once stored they are base64, in which no secret shows and no mark could be read: they go as a whole.
    inner: Found = []
    _clean(value.decode("utf-8", "replace"), path, inner, words)
    found += inner
    return mark(inner[0][1]) if inner else value


def _rename(node: dict[str, Json], key: str, path: str, found: Found) -> str:
    """Clean a key that is itself a secret; two that become equal are numbered, so that neither is lost."""
    cleaned, rules = _clean_name(key)
    if not rules:
        return key
    name, number = cleaned, 1
    while name in node:
        number += 1
        name = f"{cleaned}({number})"
    node[name] = node.pop(key)
    found += [(fields.join(path, name), rule) for rule in rules]
    return name


@lru_cache(maxsize=65536)
def _clean_name(name: str) -> tuple[str, tuple[str, ...]]:
    found: Found = []
    cleaned = _clean(name, "", found)
    return cleaned, tuple(rule for _, rule in found)


@lru_cache(maxsize=65536)
def _promise(name: str) -> bool | None:
    """Tell whether *name* promises a secret (not None), and whether a bare word under it is one (`is_secret`)."""
    bare = _SEPARATORS.sub("", name.lower())
    if _VARIABLE.fullmatch(name) and bare.endswith((*_NAME_ENDINGS, *_VARIABLE_ENDINGS)):
        return True
    return False if bare == "token" or bare.endswith(_NAME_ENDINGS) else None


def _clean(text: str, path: str, found: Found, words: bool | None = None) -> str:
    if words is not None and is_secret(text, words=words):
        found.append((path, _NAMED))
        return mark(_NAMED)
    if len(text) < _SHORTEST:
        return text
    if text.lstrip()[:1] in ("{", "["):
        text = _clean_json(text, path, found)
    text = _apply(text, path, found)
    if "%" in text and (decoded := unquote(text)) != text:
        cleaned = _clean(decoded, path, found)
        if cleaned != decoded:
            return quote(cleaned, safe=_KEEP_IN_URL)
    return text


def _clean_json(text: str, path: str, found: Found) -> str:
    inner: Found = []
    try:
        document = json.loads(text)
        _walk(document, path, inner)
    except (ValueError, RecursionError):
        return text  # not JSON after all; the rules are applied to it as text
    found += inner
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) if inner else text


def _apply(text: str, path: str, found: Found) -> str:
    lowered = text.lower()
    if not ANCHOR.search(lowered.encode(errors="replace")):
        return text
    for rule in RULES:
        if any(anchor in lowered for anchor in rule.anchors):
            cleaned = rule.pattern.sub(partial(_replace, rule), text)
            if cleaned != text:
                found.append((path, rule.name))
                text = cleaned
    return text


def _replace(rule: Rule, match: re.Match[str]) -> str:
    whole = match[0]
    secret = match["secret"] if "secret" in rule.pattern.groupindex else whole
    if rule.words is not None and not is_secret(secret, words=rule.words):
        return whole
    start = match.start("secret") - match.start() if secret is not whole else 0
    return whole[:start] + mark(rule.name) + whole[start + len(secret) :]
