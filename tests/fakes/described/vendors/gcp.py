"""Google Cloud: every service of the discovery documents at ``URL/SERVICE/``.

Operations are named as ``cloudresourcemanager.v3:projects.search``.
"""

from __future__ import annotations

from tests.fakes.described.discovery import Discovery
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.vendors import google

_SHOWN = (
    "cloudasset.v1",
    "cloudresourcemanager.v3",
    "compute.v1",
    "iam.v1",
    "logging.v2",
    "orgpolicy.v2",
    "sqladmin.v1",
    "storage.v1",
)

GCP = Vendor(
    name="gcp",
    description=Discovery("gcp", _SHOWN),
    error=google.error,
    refusals=google.REFUSALS,
    pagers=(("*", google.PAGE_SIZE), ("*", google.MAX_RESULTS)),
    headers={"Server": "ESF", "X-Content-Type-Options": "nosniff"},
    free=google.FREE,
    shaped=google.masked,
    rules=(("*", google.mask_of_lists),),
)
