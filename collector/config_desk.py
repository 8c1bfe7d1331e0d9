"""The sections [samples] and [uploads]: how many are drawn by default, and which files people may add."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Size = Annotated[int, Field(ge=1, le=100_000)]
FileType = Literal["pdf", "png", "jpeg", "csv", "xlsx", "docx", "txt", "json", "eml"]
_ALL: tuple[FileType, ...] = ("pdf", "png", "jpeg", "csv", "xlsx", "docx", "txt", "json", "eml")


class SampleSettings(BaseModel):
    """How many are drawn where nobody says: sizes vary by firm, and every draw may name its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: _Size = Field(default=25, description="Items of a population of state.")
    event: _Size = Field(default=25, description="Events.")
    daily: _Size = Field(default=25, description="Days of a daily control.")
    weekly: _Size = Field(default=10, description="Weeks of a weekly control.")
    monthly: _Size = Field(default=3, description="Months of a monthly control.")


class UploadSettings(BaseModel):
    """Which files are taken as manual evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_mb: Annotated[int, Field(ge=1, le=2_000)] = Field(default=50, description="The largest file, in MB.")
    types: tuple[FileType, ...] = Field(default=_ALL, description="What a file may be, told by its content.")
