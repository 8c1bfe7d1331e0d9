"""The routes of the pages, put together."""

from __future__ import annotations

from fastapi import APIRouter

from collector.web import overview, serving

router = APIRouter(include_in_schema=False)
for each in (overview, serving):
    router.include_router(each.router)
