"""What a source is opened with."""

from __future__ import annotations

from dataclasses import dataclass

from collector.clock import Clock
from collector.http.api import Api, HttpSettings
from collector.http.auth import Authorizer
from collector.http.kept import Kept
from collector.procedures.buckets import Buckets


@dataclass(frozen=True)
class Opening:
    """What a session is opened with. *buckets* and *kept* are the process's: sessions of one source share them."""

    source: str
    settings: HttpSettings
    clock: Clock
    api: Api
    authorizer: Authorizer
    buckets: Buckets
    kept: Kept
    user_agent: str
