"""``python -m tests.fakes.described``: where each description came from and how old it says it is."""

from __future__ import annotations

from tests.fakes.described.vendors import VENDORS

if __name__ == "__main__":
    print("| vendor | document | package | version | says of itself |")
    print("|---|---|---|---|---|")
    for vendor in VENDORS:
        for origin in vendor.description.origins():
            cells = (vendor.name, origin.title, origin.package, origin.version, origin.revision)
            print(f"| {' | '.join(cells)} |")
