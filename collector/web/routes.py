"""The routes of the pages, put together."""

from __future__ import annotations

from fastapi import APIRouter

from collector.web import evidence, item, overview, serving

router = APIRouter(include_in_schema=False)
for each in (overview, serving, evidence, item):
    router.include_router(each.router)
