"""Two vendors made of paper, and how they answer on each day of the quarter: what `world` is collected from."""

from __future__ import annotations

from datetime import date, timedelta

from collector import errors
from collector.model import Scope
from collector.procedure import Kind
from tests.fakes.paper import Paper

MARK = "vaultmark"
_DAY = timedelta(days=1)

# Days on which something went wrong.
DENIED = (date(2025, 3, 3), date(2025, 3, 6))
THROTTLED = (date(2025, 1, 21), date(2025, 1, 22))
DOWN = (date(2025, 2, 10), date(2025, 2, 13))
REFUSAL = "GET /users was refused, it needs acme:read_users"

SCRIPT = "<script>document.title='owned'</script>"
FORMULA = "=cmd|' /C calc'!A0"
BIDI = "invoice\u202egnp.exe"
HIDDEN = "ad\u200bmin"
CLIMBING = "../../etc/passwd"
HOSTILE = (SCRIPT, FORMULA, BIDI, HIDDEN, CLIMBING, "<img src=x onerror=alert(1)>", "@SUM(1+1)", "\x1b[31mred\x1b[0m")

_FIRST = ("Ana", "Ben", "Carla", "Dario", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas")
_SECOND = ("Kaja", "Liam", "Mina", "Noor", "Otto", "Priya", "Quinn", "Rosa", "Sami", "Tess")
_LAST = ("Alder", "Brook", "Castell")
_ROLES = ("engineer", "support", "finance", "admin")


def _kind(name: str, title: str, **more: object) -> Kind:
    return Kind.model_validate({"name": name, "title": title, "key": "id", "every": "daily", **more})


_ACME = (
    _kind("acme.users", "Users, their roles and second factors", list="GET /users", volatile=["seen"],
          redact=["token"], criteria=["CC6.1"]),
    _kind("acme.rooms", "Rooms of each building", list="GET /rooms", scope="building", criteria=["CC6.4"]),
    _kind("acme.doors", "Every time a door was opened", list="GET /doors", criteria=["CC7.2"],
          since={"field": "at", "overlap": "1h", "horizon": "30d"}),
)  # fmt: skip
_VAULT = (_kind(f"{MARK}.ledgers", f"Ledgers of the {MARK}", list=f"GET /{MARK}", criteria=["CC7.2"]),)


class Vendor(Paper):
    """A vendor made of paper with *kinds* of its own, under a name of its own."""

    def __init__(self, name: str, kinds: tuple[Kind, ...], scopes: list[Scope]) -> None:
        super().__init__()
        self.name, self._kinds, self.buildings = name, kinds, scopes

    def kinds(self):
        """See `Connector.kinds`."""
        return {each.name: each for each in self._kinds}


def vendors() -> dict[str, Vendor]:
    acme = [Scope("site", "account"), *(Scope(each, "building") for each in ("north", "south", "annex"))]
    return {"acme": Vendor("acme", _ACME, acme), MARK: Vendor(MARK, _VAULT, [Scope(f"{MARK}-site", "account")])}


def show(shown: dict[str, Vendor], day: date) -> None:
    """Let the vendors answer as they do on *day*."""
    refused = errors.Denied(REFUSAL, hint="Grant it to acme:reader.")
    throttled = errors.Throttled("GET /rooms: 429 until the retries ran out")
    rooms = [{"id": f"r-{number}", "lock": "badge", "racks": number % 3} for number in range(1, 7)]
    shown["acme"].world = {
        "acme.users": refused if DENIED[0] <= day < DENIED[1] else _users(day),
        ("acme.rooms", "north"): throttled if THROTTLED[0] <= day < THROTTLED[1] else rooms[: 3 + day.month],
        ("acme.rooms", "south"): rooms[:2],
        ("acme.rooms", "annex"): errors.NotEnabled("GET /rooms: counting is switched off in this building"),
        "acme.doors": _doors(day),
    }
    shown[MARK].world = {f"{MARK}.ledgers": [{"id": f"{MARK}-{n}", "note": f"{MARK} {day.month}"} for n in range(4)]}


def _users(day: date) -> list[dict[str, object]]:
    """Return the users of *day*: some join in the second month, some leave in the third, one becomes admin."""
    found = []
    for number, (first, last) in enumerate((first, last) for last in _LAST for first in _FIRST + _SECOND):
        joins = date(2025, 2, 1 + number % 20) if number % 7 == 3 else date(2024, 1, 1)
        leaves = date(2025, 3, 1 + number % 25) if number % 11 == 5 else date.max
        if joins <= day < leaves:
            role = "admin" if number == 1 and day >= date(2025, 3, 14) else _ROLES[number % 3]
            found.append(
                {
                    "id": f"{first}.{last}@acme.example".lower(),
                    "name": f"{first} {last}",
                    "role": role,
                    "second_factor": number % 13 != 6 or day >= date(2025, 2, 20),
                    "groups": [f"team-{number % 4}", "everybody"],
                    "seen": day.isoformat(),
                    "token": f"t-{number}",
                }
            )
    found += [{"id": name, "name": name, "role": name, "second_factor": True, "groups": [name]} for name in HOSTILE]
    return found


def _doors(day: date) -> list[dict[str, object]]:
    before = day - _DAY
    return [
        {
            "id": f"{before.isoformat()}-{number}",
            "at": f"{before.isoformat()}T{9 + number:02}:12:00Z",
            "door": f"d-{number}",
        }
        for number in range(1 + before.day % 3)
    ]
