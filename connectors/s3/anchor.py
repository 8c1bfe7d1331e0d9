"""An anchor in S3 with Object Lock: each checkpoint a locked version that nobody can change until its time is over.

What counts under a name is its oldest version. Later versions and delete markers can be put over it by whoever may
write to the bucket; they cannot take it away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from collector.anchors import Anchor, AnchorSettings, file_name, newest_name
from collector.cadence import parse_duration
from collector.errors import ConfigError, DeliveryError, HistoryError
from collector.model import Json


class S3AnchorSettings(AnchorSettings):
    """A bucket that was made with Object Lock. Credentials come from the SDK's own chain, or from *profile*.

    They need s3:PutObject, s3:PutObjectRetention, s3:GetObjectVersion and s3:ListBucketVersions there, and no more.
    """

    bucket: str = Field(min_length=3)
    prefix: str = Field(default="", pattern=r"^([^/].*[^/])?$", description="Put before every name, with a slash.")
    region: str = Field(default="", description="The bucket's region, when the SDK's chain does not say it.")
    profile: str = Field(default="", description="Profile of the shared AWS config and credentials files.")
    endpoint_url: str = Field(default="", description="Of another store that speaks S3.")
    mode: Literal["COMPLIANCE", "GOVERNANCE"] = Field(
        default="COMPLIANCE", description="In COMPLIANCE not even the account's root user ends the lock."
    )
    retain: str = Field(default="2557d", description="How long each checkpoint is locked; seven years.")

    @field_validator("retain")
    @classmethod
    def _duration(cls, value: str) -> str:
        try:
            parse_duration(value)
        except ConfigError as error:
            raise ValueError(error.message) from error
        return value


class S3Anchor:
    """Objects ``PREFIX/ORIGIN/SIZE.note``, each put with a retention of its own."""

    def __init__(self, name: str, settings: S3AnchorSettings) -> None:
        self._name = name
        self._settings = settings
        self._retain = parse_duration(settings.retain)
        self._opened: Any = None

    def push(self, origin: str, size: int, note: bytes) -> dict[str, Json]:
        """See `collector.anchors.Anchor.push`; the receipt names the version."""
        key = self._folder(origin) + file_name(size)
        with self._translated():
            held = self._oldest(key)
            if held is not None:
                if self._read(key, held) != note:
                    raise HistoryError(f"the anchor {self._name} holds another checkpoint of size {size}: {key}")
                return {"bucket": self._settings.bucket, "key": key, "version": held}
            until = datetime.now(UTC) + self._retain
            answer = self._client().put_object(
                Bucket=self._settings.bucket,
                Key=key,
                Body=note,
                ContentType="text/plain; charset=utf-8",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode=self._settings.mode,
                ObjectLockRetainUntilDate=until,
            )
        version = answer.get("VersionId")
        if not version or version == "null":
            raise DeliveryError(
                f"the anchor {self._name}: the bucket {self._settings.bucket} keeps no versions, so it locks nothing",
                hint="Make a bucket with Object Lock.",
            )
        return {"bucket": self._settings.bucket, "key": key, "version": version, "until": until.isoformat()}

    def newest(self, origin: str) -> bytes | None:
        """See `collector.anchors.Anchor.newest`."""
        folder = self._folder(origin)
        with self._translated():
            # Names of the epochs after this one lie deeper; the delimiter leaves them out.
            name = newest_name(each["Key"].removeprefix(folder) for each in self._versions(folder))
            if name is None:
                return None
            version = self._oldest(folder + name)
            return self._read(folder + name, version) if version else None

    def _folder(self, origin: str) -> str:
        prefix = f"{self._settings.prefix}/" if self._settings.prefix else ""
        return f"{prefix}{origin}/"

    def _versions(self, prefix: str) -> Iterator[dict[str, Json]]:
        pages = self._client().get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=prefix, Delimiter="/"):
            yield from page.get("Versions", [])

    def _oldest(self, key: str) -> str | None:
        found = [each for each in self._versions(key) if each["Key"] == key]
        # Of two of one second: S3 lists the newest first.
        oldest = min(reversed(found), key=lambda each: each["LastModified"], default=None)
        return oldest["VersionId"] if oldest else None

    def _read(self, key: str, version: str) -> bytes:
        answer = self._client().get_object(Bucket=self._settings.bucket, Key=key, VersionId=version)
        data: bytes = answer["Body"].read()
        return data

    def _client(self) -> Any:
        if self._opened is None:
            # At first use: whoever only reads the configuration needs no SDK.
            import boto3
            from botocore.config import Config

            settings = self._settings
            session = boto3.session.Session(profile_name=settings.profile or None, region_name=settings.region or None)
            retries: Any = {"mode": "standard", "total_max_attempts": 3}
            self._opened = session.client(
                "s3",
                endpoint_url=settings.endpoint_url or None,
                config=Config(connect_timeout=10, read_timeout=30, retries=retries),
            )
        return self._opened

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise ConfigError(
                f"the anchor {self._name} needs the AWS SDK", hint="pip install 'evidenced[aws]'"
            ) from error
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise DeliveryError(f"the anchor {self._name}: {error}") from error


class _Type:
    settings = S3AnchorSettings

    def open(self, name: str, settings: S3AnchorSettings) -> Anchor:
        """See `collector.anchors.AnchorType.open`."""
        return S3Anchor(name, settings)


anchor_type = _Type()
