"""The gate of the API and the pages: who comes in, what they may see of the store, and what is recorded of it.

`Gate.by_token` and `Gate.by_session` return a `Visit`; routes ask it for what they need, and never reach the store
past it.
"""

from collector.gate.forms import Forged
from collector.gate.gate import Gate
from collector.gate.place import Place
from collector.gate.visit import Engaged, Forbidden, SignedOut, Visit

__all__ = ["Engaged", "Forbidden", "Forged", "Gate", "Place", "SignedOut", "Visit"]
