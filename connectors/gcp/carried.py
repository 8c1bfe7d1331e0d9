"""Google's own client, carried by the engine: its requests get our credentials, pace, retries, ledger and reasons."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter

from collector.connector import Reading
from collector.http.prepare import Ready
from collector.http.requester import Asked, Requester


class Carrier(BaseAdapter):
    """Sends what the client prepared as the declared *call*; only the address and the body are the client's.

    Errors are the engine's (`ReadError`), raised through the client: it sees good answers alone.
    """

    def __init__(self, requester: Requester, call: Ready, scope: str, reading: Reading) -> None:
        super().__init__()
        self._requester = requester
        self._call = call
        self._scope = scope
        self._reading = reading

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the answer to *request* as the client expects it."""
        text = request.body
        body = text.encode() if isinstance(text, str) else None
        asked = Asked(str(request.url), self._scope, {"content-type": "application/json"} if body else {}, body)
        answer, _document = self._requester.answer(self._call, asked, self._reading)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.raw = BytesIO(answer.body)
        return response

    def close(self) -> None:
        """The connections are the engine's."""


def carried(client: Any, address: str, carrier: Carrier) -> Any:
    """Return one of google-cloud-resource-manager's clients (the class *client*) whose requests *carrier* sends."""
    from google.auth.credentials import AnonymousCredentials

    transport = client.get_transport_class("rest")(host=address, credentials=AnonymousCredentials())
    # It makes its session itself and takes no other; what is mounted there is requests' own way in.
    for scheme in ("https://", "http://"):
        transport._session.mount(scheme, carrier)
    return client(transport=transport)
