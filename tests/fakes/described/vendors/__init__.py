"""One module per vendor: nothing but data and how it says no."""

from tests.fakes.described.vendor import Vendor
from tests.fakes.described.vendors.arm import ARM
from tests.fakes.described.vendors.gcp import GCP
from tests.fakes.described.vendors.github import GITHUB
from tests.fakes.described.vendors.graph import GRAPH
from tests.fakes.described.vendors.gworkspace import GWORKSPACE
from tests.fakes.described.vendors.jira import JIRA
from tests.fakes.described.vendors.okta import OKTA

VENDORS: tuple[Vendor, ...] = (ARM, GCP, GITHUB, GRAPH, GWORKSPACE, JIRA, OKTA)

__all__ = ["ARM", "GCP", "GITHUB", "GRAPH", "GWORKSPACE", "JIRA", "OKTA", "VENDORS"]
