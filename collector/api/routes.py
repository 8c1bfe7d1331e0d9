"""The routes of the API, put together."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from collector.api.visiting import Visitor

router = APIRouter(prefix="/api/v1")


@router.get("/me")
def me(visit: Visitor) -> dict[str, Any]:
    """Return who the token makes you, and what you may see."""
    who = visit.principal
    return {"name": who.name, "role": who.role, "engagements": [each.name for each in visit.engagements()]}
