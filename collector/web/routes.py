"""The routes of the pages, put together."""

from __future__ import annotations

from fastapi import APIRouter

from collector.web import entering, evidence, item, overview, searching, serving

router = APIRouter(include_in_schema=False)
for each in (entering, overview, serving, evidence, item, searching):
    router.include_router(each.router)
