"""A git branch: each checkpoint a commit on top of the one before, in a bare repository or a clone, by plain git.

With a remote, what counts is the remote's branch: commits are made on top of it and pushed, never forced.
The work tree and the index of a clone are not touched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from pydantic import Field

from collector.anchors.contract import Anchor, AnchorSettings, file_name, newest_name
from collector.errors import DeliveryError, HistoryError
from collector.model import Json

_TIMEOUT_S = 60
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "evidenced"), ("EMAIL", "evidenced@localhost"))
}
_NOTHING = "0" * 40


class GitSettings(AnchorSettings):
    """Which branch of which repository."""

    path: str = Field(description="The repository, bare or a clone: absolute, or beginning with ~.")
    branch: str = Field(default="checkpoints", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    remote: str = Field(
        default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$", description="A remote of it to push to."
    )


class GitAnchor:
    """Files ``ORIGIN/SIZE.note`` on a branch."""

    def __init__(self, name: str, settings: GitSettings) -> None:
        self._name = name
        self._path = Path(settings.path).expanduser()
        self._branch = f"refs/heads/{settings.branch}"
        self._remote = settings.remote

    def push(self, origin: str, size: int, note: bytes) -> dict[str, Json]:
        """See `Anchor.push`; the receipt names the commit."""
        tip = self._tip()
        path = f"{origin}/{file_name(size)}"
        held = self._read(tip, path)
        if held is not None and held != note:
            raise HistoryError(f"the anchor {self._name} holds another checkpoint of size {size}: {path}")
        commit = tip if held is not None else self._commit(tip, path, note, f"Checkpoint {size} of {origin}")
        if self._remote and held is None:
            self._git("push", "--quiet", self._remote, f"{commit}:{self._branch}")
        if commit != self._local():
            # Fails when somebody moved the branch since: then the next attempt begins with what they put there.
            self._git("update-ref", self._branch, commit, self._local() or _NOTHING)
        return {"commit": commit, "path": path} | ({"remote": self._remote} if self._remote else {})

    def newest(self, origin: str) -> bytes | None:
        """See `Anchor.newest`."""
        tip = self._tip()
        if not tip:
            return None
        listed = self._git("ls-tree", "--name-only", tip, f"{origin}/").decode().split("\n")
        name = newest_name(each.rpartition("/")[2] for each in listed)
        return self._read(tip, f"{origin}/{name}") if name else None

    def _tip(self) -> str:
        """Return the commit that the branch is at, the remote's where there is one; empty when there is no branch."""
        if not self._remote:
            return self._local()
        found = self._git("ls-remote", self._remote, self._branch).decode().split()
        if not found:
            return ""
        self._git("fetch", "--quiet", "--no-tags", self._remote, self._branch)
        return found[0]

    def _local(self) -> str:
        return self._git("for-each-ref", "--format=%(objectname)", self._branch).decode().strip()

    def _read(self, tip: str, path: str) -> bytes | None:
        if not tip or not self._git("ls-tree", tip, path):
            return None
        return self._git("cat-file", "blob", f"{tip}:{path}")

    def _commit(self, tip: str, path: str, note: bytes, message: str) -> str:
        blob = self._git("hash-object", "-w", "--stdin", given=note).decode().strip()
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            if tip:
                self._git("read-tree", tip, more=index)
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", more=index)
            tree = self._git("write-tree", more=index).decode().strip()
        parents = ["-p", tip] if tip else []
        return self._git("commit-tree", tree, *parents, "-m", message, more=_IDENTITY).decode().strip()

    def _git(self, *arguments: str, given: bytes = b"", more: dict[str, str] | None = None) -> bytes:
        # No prompt: a daemon has nobody to ask.
        env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(more or {})}
        command = ["git", "-C", str(self._path), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and every argument is ours or checked by the settings
                command, input=given, capture_output=True, timeout=_TIMEOUT_S, env=env, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeliveryError(f"the anchor {self._name}: git {arguments[0]}: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise DeliveryError(f"the anchor {self._name}: git {arguments[0]}: {said}")
        return done.stdout


class _Type:
    settings = GitSettings

    def open(self, name: str, settings: GitSettings) -> Anchor:
        """See `AnchorType.open`."""
        return GitAnchor(name, settings)


anchor_type = _Type()
