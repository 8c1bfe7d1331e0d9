#!/usr/bin/env python3
"""Say whether a bundle of evidence is what its log committed to: one file, standard library only, Python 3.9 or later.

    python3 -I verify.py BUNDLE.zip --key KEY

Ends with 0 when everything in the bundle agrees, else with 1 and the first thing that does not; never with a traceback.
KEY is the log's verifier key (``name+id+base64``, or a file that holds it); have it from somebody other than whoever
gave you the bundle, and this program too. docs/bundle.md of evidenced describes every file in a bundle.

- The file is sealed by a digest at its end: a flipped byte, a cut or a container made again is told apart.
- Manifests (BagIt 1.0, RFC 8493): every file is there, is what its SHA-256 says, and there is no other.
- The log (RFC 6962): the root over all leaves is that of the checkpoint, which is signed (Ed25519, RFC 8032).
- Sweeps: nothing that a leaf in scope commits to is missing, and each is what the leaf says.
- Contents: of every item that existed in the period, each is there, or named as erased by a tombstone.

Not checked: acts.csv, index.xlsx, summary.html, summary.pdf and oscal-assessment-results.json, which are for reading
and which nothing signs; and time stamp tokens, for which there is `openssl ts -verify`.
"""

from __future__ import annotations

import base64
import calendar
import csv
import fnmatch
import hashlib
import json
import os
import re
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, Optional, Tuple

Point = Tuple[int, int, int, int]
Key = Tuple[str, bytes, bytes]
Subject = Tuple[str, str, str]
Version = Tuple[str, str, str, str, int, Optional[int], str]

FORMAT = "evidenced-bundle/1"
ROOT = "bundle/"
GONE = "0" * 64
SEAL = b"sha256:"
SEALED = b"EVS1"
DIGITS = 64
INDEX = ("source", "kind", "scope", "key", "key_sha256", "since", "until", "content", "artifact_sha256", "file")
DESK = ("engagement", "population", "sample", "reconciliation", "upload", "request", "review", "token", "access")
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAGS = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "verify.py")
READING = ("acts.csv", "index.xlsx", "oscal-assessment-results.json", "summary.html", "summary.pdf")
PAYLOAD = (*READING, "bundle.json", "erased.jsonl", "gaps.jsonl", "index.csv", "log/leaves", "sweeps.jsonl")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_MOST = 1 << 28


class Wrong(Exception):
    """The bundle is not good: the *verdict* in a word or two, and what about it."""

    def __init__(self, verdict: str, what: str) -> None:
        super().__init__(what)
        self.verdict = verdict


# RFC 6962


class Tree:
    """A Merkle tree that grows a leaf at a time: the hashes of its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Append a leaf (its bytes)."""
        current, at = hashlib.sha256(b"\x00" + data).digest(), self.size
        while at & 1:
            current, at = hashlib.sha256(b"\x01" + self._peaks.pop() + current).digest(), at >> 1
        self._peaks.append(current)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root; of nothing, SHA-256 of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        current = self._peaks[-1]
        for each in reversed(self._peaks[:-1]):
            current = hashlib.sha256(b"\x01" + each + current).digest()
        return current


def root_of(leaves: Iterable[bytes]) -> str:
    """Return the root over *leaves* (their bytes) in hex."""
    tree = Tree()
    for each in leaves:
        tree.add(each)
    return tree.root.hex()


# Ed25519 (RFC 8032, 5.1)

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)


def _recover(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _I % _P
    if (x * x - square) % _P:
        return None
    return _P - x if (x & 1) != sign else x


def _point(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _recover(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _add(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % _P, (one[1] + one[0]) * (two[1] + two[0]) % _P
    c, d = 2 * one[3] * two[3] * _D % _P, 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            found = _add(found, point)
        point, factor = _add(point, point), factor >> 1
    return found


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _recover(_BASE_Y, 0) or 0
_BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether *signature* (64 bytes) over *message* is by the key *public* (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, nonce = _point(public), _point(signature[:32])
    factor = int.from_bytes(signature[32:], "little")
    if key is None or nonce is None or factor >= _L:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    left, right = _times(factor, _BASE), _add(nonce, _times(hashed, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


# Signed notes and checkpoints (C2SP)


def read_key(text: str) -> Key:
    """Return the name, id and public key that *text* (``name+id+base64``) gives. Raises `Wrong`."""
    try:
        name, digits, rest = text.strip().split("+", 2)
        data = base64.b64decode(rest, validate=True)
        number = hashlib.sha256(name.encode("utf-8") + b"\n" + data).digest()[:4]
        if len(data) != 33 or data[0] != 1 or number.hex() != digits:
            raise ValueError(text)
    except ValueError:
        raise Wrong("wrong key", "that is no verifier key: it has the form name+id+base64") from None
    return name, number, data[1:]


def _base64(text: str) -> bytes:
    made = base64.b64decode(text, validate=True)
    if base64.b64encode(made).decode("ascii") != text:
        raise ValueError("it is not written as base64 is")
    return made


class Note:
    """A checkpoint as a signed note: *origin*, *size*, *root*, and who is said to have signed it. Raises ValueError."""

    def __init__(self, data: bytes) -> None:
        text, blank, tail = data.decode("utf-8").rpartition("\n\n")
        lines = text.split("\n")
        if not blank or not tail.endswith("\n") or len(lines) < 3 or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
            raise ValueError("it is no checkpoint")
        self.text, self.origin, self.size = (text + "\n").encode("utf-8"), lines[0], int(lines[1])
        self.root = _base64(lines[2])
        self._signatures: list[Key] = []
        for line in tail[:-1].split("\n"):
            dash, name, signature = line.split(" ")
            made = _base64(signature)
            if dash != "\u2014" or len(made) != 68:
                raise ValueError("a signature has another form")
            self._signatures.append((name, made[:4], made[4:]))

    def signed_by(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of *keys* that signed. Raises `Wrong` for a signature of one of them that is none."""
        found = []
        for key in keys:
            for name, number, signature in self._signatures:
                if (name, number) == key[:2]:
                    if not ed25519_verifies(key[2], self.text, signature):
                        raise Wrong("altered", "the signature by %s is not over its checkpoint" % key[0])
                    found.append(key)
        return found


# What is in scope


def milliseconds(text: str) -> int:
    """Return an instant (``2026-03-14T03:00:00Z``, with or without a fraction) in milliseconds UTC."""
    match = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})(?:\.([0-9]{3}))?Z", text)
    if not match:
        raise ValueError("it is no instant")
    return calendar.timegm(time.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S")) * 1000 + int(match.group(2) or 0)


def instant(at: int | None) -> str:
    """Return *at* (milliseconds UTC) as text; nothing for None."""
    if at is None:
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + ".%03dZ" % (at % 1000)


class Scope:
    """What an engagement is about, as its *document* in force says: ``[start, end)`` in ms, sources and scopes."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.start, self.end = milliseconds(document["start"]), milliseconds(document["end"])
        self._sources, self._scopes = document["sources"], document["scopes"]

    def source(self, name: str) -> bool:
        """Tell whether the source *name* is in scope."""
        return _among(name, self._sources)

    def scope(self, name: str) -> bool:
        """Tell whether the scope *name* is in scope."""
        return _among(name, self._scopes)

    def sweep(self, leaf: dict[str, Any]) -> bool:
        """Tell whether a bundle holds the sweep of *leaf*: its source is in scope, and it was due or recorded in time.

        Sweeps before the period are among them: what was there when it began was seen by those.
        """
        return self.source(leaf["source"]) and (leaf["due"] < self.end or leaf["at"] < self.end)

    def missed(self, leaf: dict[str, Any]) -> bool:
        """Tell whether *leaf* is of slots missed in the period, of a source in scope."""
        return self.source(leaf["source"]) and leaf["since"] < self.end and leaf["until"] > self.start

    def volatile(self, at: int) -> bool:
        """Tell whether volatile fields kept at *at* are in the period."""
        return self.start <= at < self.end


def _among(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(name, each) for each in patterns)


class Lives:
    """Follows every item through its changes: *versions* are those that existed in the period of a scope.

    A version is (source, kind, scope, key digest, since, until or None, artifact digest), digests in hex, times in ms.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._open: dict[Subject, dict[str, tuple[int, str]]] = {}
        self.versions: list[Version] = []

    def change(self, subject: Subject, at: int, pairs: Iterable[str]) -> None:
        """Take *subject* (source, kind, scope) to its state of *at*; a pair is a key's and an artifact's digest."""
        if at >= self._scope.end:
            return
        there = self._open.setdefault(subject, {})
        for pair in pairs:
            key, artifact = pair[:DIGITS], pair[DIGITS:]
            if key in there:
                self._end(subject, key, there.pop(key), at)
            if artifact != GONE:
                there[key] = (at, artifact)

    def close(self) -> None:
        """End with what was there at the period's end, and put all in order."""
        for subject, there in self._open.items():
            for key, form in there.items():
                self._end(subject, key, form, None)
        self._open = {}
        self.versions.sort(key=lambda each: (each[:5], each[5] or 1 << 62))

    def _end(self, subject: Subject, key: str, form: tuple[int, str], until: int | None) -> None:
        if until is None or until > self._scope.start:
            since, artifact = form
            self.versions.append((*subject, key, since, until, artifact))


def subject_of(source: str, said: str) -> Subject:
    """Return the source, kind and scope that an entry names together. Raises ValueError."""
    if not said.startswith(source + " "):
        raise ValueError("an entry is of another source")
    kind, _, scope = said[len(source) + 1 :].partition(" ")
    return source, kind, scope


def named_in(frame: bytes) -> set[str]:
    """Return the digests (hex) that a frame names: of procedures and configurations."""
    return set(re.findall(r"sha256:([0-9a-f]{64})", frame.decode("utf-8")))


# What is shown


def cell(text: str) -> str:
    """Return *text* as a cell that no spreadsheet runs: before what could begin a formula stands an apostrophe."""
    return "'" + text if text and text[0] in "=+-@\t\r'" else text


def shown(text: str, most: int = 32000) -> str:
    """Return *text* with what nobody can see, or what moves what is seen, as escapes; cut to *most* characters."""
    made = "".join(each if each.isprintable() else "\\u%04x" % ord(each) for each in text[: most + 1])
    return made[:most] + "\\..." if len(made) > most else made


def shown_key(text: str, digest: str, most: int = 32000) -> str:
    """Return the key *text* of an item as a table shows it; *digest* stands for one longer than any cell.

    Of a key that would be shown with escapes, backslashes are doubled: so that it can be had back.
    """
    if len(text) > most:
        return "long:" + digest[:16]
    if text.isprintable():
        return text
    made = "".join(each if each.isprintable() else _escape(each) for each in text.replace("\\", "\\\\"))
    return made if len(made) <= most else "long:" + digest[:16]


def _escape(character: str) -> str:
    number = ord(character)
    return "\\u%04x" % number if number < 0x10000 else "\\U%08x" % number


def _is_key(text: str, digest: str) -> bool:
    """Tell whether *text* is how a table shows the key with *digest*."""
    unescaped = re.sub(r"\\(\\|u[0-9a-f]{4}|U[0-9a-f]{8})", _character, text)
    for each in (text, unescaped):
        made = hashlib.sha256(each.encode("utf-8", "surrogatepass")).hexdigest()
        if made == digest and shown_key(each, digest) == text:
            return True
    return False


def _character(match: re.Match[str]) -> str:
    return "\\" if match.group(1) == "\\" else chr(int(match.group(1)[1:], 16))


def artifact_file(digest: str) -> str:
    """Return where in the bag the content with *digest* (hex) is."""
    return "data/artifacts/%s/%s" % (digest[:2], digest)


def index_row(version: Version, key: str, content: str) -> list[str]:
    """Return the row of index.csv for *version* of the item shown as *key*; *content* is plain, sealed or erased."""
    source, kind, scope, key_digest, since, until, artifact = version
    file = "" if content == "erased" else artifact_file(artifact)
    times = instant(since), instant(until)
    return [cell(each) for each in (shown(source), shown(kind), shown(scope), key)] + [
        key_digest,
        *times,
        content,
        artifact,
        file,
    ]


# The bundle


class Bundle:
    """The members of a bundle. Raises `Wrong` where the container is not in order."""

    def __init__(self, path: str) -> None:
        self.sealed = _sealed(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
            raise Wrong("truncated", "it does not end as a bundle ends: %s" % error) from None
        names = self._zip.namelist()
        for name in names:
            if not name.startswith(ROOT) or not _NAME.fullmatch(name[len(ROOT) :]):
                raise Wrong("altered", "a member has a name that no bundle gives: %r" % name[:200])
        self.names = {name[len(ROOT) :] for name in names}
        if len(self.names) != len(names):
            raise Wrong("altered", "two members have one name")

    def open(self, name: str) -> IO[bytes]:
        """Return the member *name* as a stream."""
        if name not in self.names:
            raise Wrong("incomplete", "%s is not in it" % name)
        return self._zip.open(ROOT + name)

    def read(self, name: str) -> bytes:
        """Return the bytes of *name*."""
        with self.open(name) as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise Wrong("altered", "%s is larger than any bundle makes it" % name)
        return data

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of *name* without their ends."""
        with self.open(name) as file:
            for line in iter(lambda: file.readline(_MOST), b""):
                if not line.endswith(b"\n"):
                    raise Wrong("altered", "%s ends within a line" % name)
                yield line[:-1]

    def digest(self, name: str) -> tuple[str, bytes]:
        """Return the SHA-256 of *name* in hex, and with which bytes it starts."""
        found = hashlib.sha256()
        with self.open(name) as file:
            start = file.read(len(SEALED))
            found.update(start)
            for block in iter(lambda: file.read(1 << 20), b""):
                found.update(block)
        return found.hexdigest(), start

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _sealed(path: str) -> bool:
    """Tell whether the file ends in its own digest. Raises `Wrong` when it ends in another's, or cannot be read."""
    try:
        left = os.path.getsize(path) - DIGITS
        with open(path, "rb") as file:
            file.seek(max(0, left - len(SEAL)))
            end = file.read()
            if not re.fullmatch(SEAL + rb"[0-9a-f]{64}", end):
                return False
            file.seek(0)
            found = hashlib.sha256()
            while left > 0:
                block = file.read(min(left, 1 << 20))
                found.update(block)
                left -= len(block) or left
    except (OSError, ValueError) as error:
        raise Wrong("unreadable", "it cannot be read: %s" % error) from None
    if found.hexdigest().encode("ascii") != end[len(SEAL) :]:
        raise Wrong("altered", "its bytes are not those that the digest at its end is of")
    return True


class Check:
    """One check of one *bundle*: what was seen is in its attributes, also when `run` raised."""

    def __init__(self, bundle: Bundle, keys: list[Key]) -> None:
        self._bundle, self._keys = bundle, keys
        self.origin = self.engagement = ""
        self.signed: list[str] = []
        self.size = self.artifacts = self.erased = self.versions = self.sweeps = 0
        self._needed: set[str] = set()
        self._allowed: set[str] = set()
        self._sealed: set[str] = set()
        self._tombstones: set[int] = set()
        self._gone: dict[str, int] = {}

    def run(self) -> None:
        """Check everything. Raises `Wrong` for the first thing that does not agree."""
        self._manifests()
        said = json.loads(self._bundle.read("data/bundle.json"))
        if said["format"] != FORMAT:
            raise Wrong("unreadable", "it is of the format %r, and this program reads %s" % (said["format"], FORMAT))
        self._number = said["engagement"]
        self._checkpoints(said)
        self._log()
        self._commitments()
        self._contents()
        self._index()

    def _manifests(self) -> None:
        names, tags = self._bundle.names, self._manifest("tagmanifest-sha256.txt")
        self._files = self._manifest("manifest-sha256.txt")
        wanted = {*TAGS, *self._files, "tagmanifest-sha256.txt", *("data/" + each for each in PAYLOAD)}
        gone = sorted(wanted - names)
        if gone:
            raise Wrong("incomplete", "%d files are missing, the first is %s" % (len(gone), gone[0]))
        if names - wanted or set(tags) != set(TAGS):
            raise Wrong("altered", "it has files that no bundle has, or its manifests do not name")
        for name, digest in [*tags.items(), *self._files.items()]:
            found, start = self._bundle.digest(name)
            if start == SEALED:
                self._sealed.add(found)
            if found != digest:
                raise Wrong("altered", "%s is not what its digest in the manifest is of" % name)
        if self._bundle.read("bagit.txt") != BAGIT:
            raise Wrong("altered", "bagit.txt is not that of BagIt 1.0")
        strange = sorted(name for name, digest in self._files.items() if not _placed(name, digest))
        if strange:
            raise Wrong("altered", "no bundle has such a file: %s" % strange[0])

    def _manifest(self, name: str) -> dict[str, str]:
        found = {}
        for line in self._bundle.lines(name):
            match = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line.decode("ascii"))
            if not match or match.group(2) in found:
                raise Wrong("altered", "%s has a line of another form" % name)
            found[match.group(2)] = match.group(1)
        return found

    def _under(self, folder: str) -> list[str]:
        return [each for each in self._files if each.startswith("data/" + folder)]

    def _checkpoints(self, said: dict[str, Any]) -> None:
        """Read the checkpoints; what the bundle goes up to is signed by the last."""
        self._roots: dict[int, list[tuple[str, bytes]]] = {}
        self._last: Note | None = None
        self._last_name = "data/log/checkpoints/%s.note" % said["checkpoint"]
        for name in self._under("log/checkpoints/"):
            note = Note(self._bundle.read(name))
            self._roots.setdefault(note.size, []).append((name, note.root))
            if name == self._last_name:
                self._last = note
        self.size, self.origin = said["size"], said["origin"]
        if (self._last is None) != (said["checkpoint"] is None):
            raise Wrong("incomplete", "the checkpoint that it goes up to is not in it")
        if self._last is None:
            if self._keys:
                raise Wrong("wrong key", "no checkpoint covers it: nobody signed what it holds")
        elif (self._last.size, self._last.origin) != (self.size, self.origin):
            raise Wrong("re-bagged", "its checkpoint is of another log, or of another size, than it says")

    def _log(self) -> None:
        """Go through all leaves: the roots that checkpoints sign, the keys, the terms of the engagement."""
        tree, keys, terms = Tree(), [], None
        for data in self._bundle.lines("data/log/leaves"):
            self._compare_roots(tree)
            leaf = json.loads(data)
            if leaf["kind"] == "key" and leaf.get("act") in ("created", "rotated"):
                keys.append(read_key(leaf["key"]))
            elif leaf["kind"] == "engagement" and leaf["engagement"] == self._number:
                document = json.loads(self._content(leaf["document"]))
                terms = document if document["did"] in ("created", "amended") else terms
                self.engagement = document.get("name", self.engagement)
            elif leaf["kind"] == "tombstone":
                self._tombstones.add(leaf["tombstone"])
            tree.add(data)
        self._compare_roots(tree)
        if tree.size != self.size or self._roots:
            raise Wrong("incomplete", "it has %d leaves of the log, and should have %d" % (tree.size, self.size))
        if terms is None:
            raise Wrong("re-bagged", "no leaf of the log is of the engagement that it names")
        self._scope = Scope(terms)
        if self._last is not None:
            self._signers(self._last, keys)

    def _compare_roots(self, tree: Tree) -> None:
        for name, root in self._roots.pop(tree.size, ()):
            if root != tree.root:
                raise Wrong("re-bagged", "the leaves have another root than %s says" % name)

    def _signers(self, note: Note, keys: list[Key]) -> None:
        found = note.signed_by(self._keys or keys)
        if not found:
            whose = "the key that was given" if self._keys else "any key in the log"
            raise Wrong("wrong key", "its checkpoint is not signed by %s" % whose)
        self.signed = sorted({"%s+%s" % (name, number.hex()) for name, number, _ in found})

    def _content(self, digest: str) -> bytes:
        return self._bundle.read(artifact_file(digest))

    def _commitments(self) -> None:
        """Hold what is in the bundle against every leaf that is in scope."""
        self._lives = Lives(self._scope)
        self._gaps, self._swept = self._bundle.lines("data/gaps.jsonl"), self._bundle.lines("data/sweeps.jsonl")
        strange = {*self._under("log/checkpoints/")} - {self._last_name}
        for index, data in enumerate(self._bundle.lines("data/log/leaves")):
            leaf = json.loads(data)
            kind = leaf["kind"]
            if kind == "sweep" and self._scope.sweep(leaf):
                self._sweep(index, leaf)
            elif kind == "gap" and "missed" in leaf and self._scope.missed(leaf):
                if hashlib.sha256(next(self._gaps, b"")).hexdigest() != leaf["digest"]:
                    raise Wrong("re-bagged", "leaf %d is of missed slots, and gaps.jsonl says otherwise" % index)
            elif kind == "plan" and leaf["valid_from"] < self._scope.end:
                self._needed.add(leaf["document"])
            elif kind in DESK and leaf["engagement"] == self._number:
                self._needed.update(leaf[each] for each in ("document", "artifact") if each in leaf)
            elif kind == "checkpoint" and "note" in leaf:
                strange.discard(self._named(index, "checkpoints/%d.note" % leaf["checkpoint"], leaf["note"]))
            elif kind == "checkpoint" and "token" in leaf:
                self._named(index, "tokens/%d-%s.tsr" % (leaf["checkpoint"], leaf["token"]), leaf["token"])
        if strange or next(self._gaps, None) is not None or next(self._swept, None) is not None:
            raise Wrong("re-bagged", "it has records that no leaf in scope commits to")
        self._lives.close()
        self.versions = len(self._lives.versions)
        self._needed.update(each[6] for each in self._lives.versions)

    def _named(self, index: int, name: str, digest: str) -> str:
        """Return the file of the log called *name*. Raises `Wrong` unless it is what leaf *index* says it is."""
        name = "data/log/" + name
        if self._files.get(name) != digest:
            raise Wrong("incomplete", "%s is not what leaf %d is of, or is not in it" % (name, index))
        return name

    def _sweep(self, index: int, leaf: dict[str, Any]) -> None:
        said = _canonical(next(self._swept, b"{}"))
        if said.get("leaf") != index:
            raise Wrong("incomplete", "the sweep of leaf %d is not in it" % index)
        self.sweeps += 1
        named = [said["frame"], said["notes"]]
        entries = [_canonical(next(self._swept, b"{}")) for _ in range(said["entries"])]
        parts = [said["sheet"].encode("utf-8"), *map(bytes.fromhex, named)]
        if root_of(parts + [each["entry"].encode("utf-8") for each in entries]) != leaf["root"]:
            raise Wrong("re-bagged", "the sweep of leaf %d is not what the leaf commits to" % index)
        self._needed.update(each for each in named if each)
        if said["frame"]:
            self._allowed.update(named_in(self._content(said["frame"])))
        for each in entries:
            self._entry(leaf["source"], json.loads(each["entry"]), each["steps"])

    def _entry(self, source: str, entry: dict[str, Any], steps: list[str]) -> None:
        subject = subject_of(source, entry["subject"])
        if not self._scope.scope(subject[2]):
            if steps:
                raise Wrong("re-bagged", "it has changes of %s, which is not in scope" % entry["subject"])
        elif "volatile" in entry:
            if self._scope.volatile(entry["at"]):
                self._needed.add(entry["volatile"])
        elif root_of(map(bytes.fromhex, steps)) != entry["changes"]:
            raise Wrong("re-bagged", "changes of %s are not those that their sweep commits to" % entry["subject"])
        else:
            self._lives.change(subject, entry["at"], steps)

    def _contents(self) -> None:
        there, last = {self._files[each] for each in self._under("artifacts/")}, ""
        for line in self._bundle.lines("data/erased.jsonl"):
            said = _canonical(line)
            if said["tombstone"] not in self._tombstones or said["artifact"] in there or said["artifact"] <= last:
                raise Wrong("re-bagged", "it calls sha256:%s erased, and the log does not" % said["artifact"])
            last = said["artifact"]
            self._gone[last] = said["tombstone"]
        gone = sorted(self._needed - there - set(self._gone))
        if gone:
            raise Wrong("incomplete", "%d contents are missing, the first is sha256:%s" % (len(gone), gone[0]))
        extra = sorted((there | set(self._gone)) - self._needed - self._allowed)
        if extra:
            raise Wrong("re-bagged", "no leaf in scope commits to sha256:%s, which is in it" % extra[0])
        self.artifacts, self.erased = len(there), len(self._gone)

    def _index(self) -> None:
        csv.field_size_limit(1 << 20)
        rows = csv.reader(each.decode("utf-8") for each in self._bundle.lines("data/index.csv"))
        if tuple(next(rows, ())) != INDEX:
            raise Wrong("re-bagged", "index.csv has other columns")
        for version in self._lives.versions:
            row = next(rows, [])
            if not self._is_row(version, row):
                raise Wrong("re-bagged", "index.csv says otherwise than the log of an item of %s" % version[1])
        if next(rows, None) is not None:
            raise Wrong("re-bagged", "index.csv has rows of items that the log does not have")

    def _is_row(self, version: Version, row: list[str]) -> bool:
        if len(row) != len(INDEX):
            return False
        content = "erased" if version[6] in self._gone else "sealed" if version[6] in self._sealed else "plain"
        text, digits = row[3][1:] if row[3][:1] == "'" else row[3], version[3][:16]
        # What is sealed or erased has no name here, and a key that no cell can hold is known by its digest.
        unnamed = (
            ("long:" + digits,) if content == "plain" else ("sealed:" + digits, "erased:" + digits, "long:" + digits)
        )
        return (text in unnamed or _is_key(text, version[3])) and row == index_row(version, text, content)


def _canonical(line: bytes) -> dict[str, Any]:
    """Return what a line of JSON says. Raises ValueError unless it is in the one form that it can have."""
    said: dict[str, Any] = json.loads(line)
    if json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8") != line:
        raise ValueError("a line has another form")
    return said


def _placed(name: str, digest: str) -> bool:
    """Tell whether a bundle has a file with that *name*, whose SHA-256 is *digest*."""
    if name.startswith("data/artifacts/"):
        return name == artifact_file(digest)
    form = r"data/log/(checkpoints/[0-9]+\.note|tokens/[0-9]+-%s\.tsr)" % digest
    return name in {"data/" + each for each in PAYLOAD} or re.fullmatch(form, name) is not None


def verify(path: str, keys: Iterable[str] = ()) -> dict[str, Any]:
    """Return what became of the bundle at *path*: ``verdict`` (``good`` or another word), ``what``, and more, by name.

    *keys* are texts of verifier keys. Never raises.
    """
    bundle: Bundle | None = None
    check: Check | None = None
    keys = list(keys)
    try:
        known = [read_key(each) for each in keys]
        bundle = Bundle(path)
        check = Check(bundle, known)
        check.run()
        if not bundle.sealed:
            raise Wrong("re-bagged", "its contents agree with the log, but the file is not the one that was exported")
        verdict, what = "good", ""
    except Wrong as error:
        verdict, what = error.verdict, str(error)
    # Whatever else a malformed file makes the standard library raise is a verdict too: this is the place that gives it.
    except Exception as error:
        verdict, what = "unreadable", "a part has no form that a bundle gives it (%s)" % type(error).__name__
    finally:
        if bundle is not None:
            bundle.close()
    found = {"verdict": verdict, "what": what, "key_given": bool(keys)}
    for name in ("engagement", "origin", "size", "signed", "sweeps", "versions", "artifacts", "erased"):
        found[name] = getattr(check, name, None)
    return found


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return what to show of a verdict, a line each."""
    made = ["verdict: %s" % found["verdict"]]
    if found["what"]:
        return [*made, "why: %s" % shown(found["what"])]
    made.append("engagement: %s" % shown(found["engagement"]))
    made.append("log: %s, %d leaves" % (shown(found["origin"]), found["size"]))
    made.append("%(sweeps)d sweeps, %(versions)d versions of items, %(artifacts)d contents, %(erased)d erased" % found)
    by = ", ".join(shown(each) for each in found["signed"])
    if not by:
        return [*made, "signed by nobody: no checkpoint covers it, and it is as good as whoever gave it"]
    if found["key_given"]:
        return [*made, "signed by %s" % by]
    return [*made, "signed by %s, a key that the bundle itself brought: give the one you know, --key" % by]


def main(arguments: Iterable[str]) -> int:
    """Verify the bundle that *arguments* name, say so on standard output, and return the exit code."""
    paths, keys, rest = [], [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--key" and rest:
            keys.append(_key_text(rest.pop(0)))
        else:
            paths.append(word)
    if len(paths) != 1 or paths[0].startswith("-"):
        sys.stdout.write("usage: python3 -I verify.py BUNDLE.zip [--key KEY]\n")
        return 1
    found = verify(paths[0], keys)
    text = "\n".join(lines_of(found)) + "\n"
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode("ascii"))
    return 0 if found["verdict"] == "good" else 1


def _key_text(key: str) -> str:
    try:
        if os.path.isfile(key):
            with open(key, encoding="utf-8") as file:
                return file.read(4096).strip()
    except (OSError, ValueError):
        return ""
    return key


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
