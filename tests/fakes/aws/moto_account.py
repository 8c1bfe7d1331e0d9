"""A stateful AWS account: moto's server on loopback, alone or behind a `FakeAws` that pages what moto does not."""

from __future__ import annotations

import http.client
import logging
import os
import threading
import urllib.request
from collections.abc import Mapping
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.handlers import json_decode_policies

from tests.fakes.aws.paging import Paging, look, paging_of, put
from tests.fakes.aws.refusal import Refusal
from tests.fakes.aws.wire import Ask, Http, Reply

_CREATING = threading.Lock()
_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "server"}


class MotoAccount:
    """moto's server from the moment it is made until `close`. Its state belongs to the process: one at a time.

    ``FakeAws(upstream=account.upstream)`` stands in front of it: what is not played is answered from moto's state, in
    pages of AWS's size, with the troubles that are switched on.
    """

    def __init__(self) -> None:
        # Loading the default images costs the first EC2 request two seconds.
        os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._client = cache(self._new_client)
        self.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """Return a boto3 client of moto itself."""
        return self._client(service, region, "AKIAFAKE")

    def reset(self) -> None:
        """Empty the account."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def close(self) -> None:
        """Empty the account and stop the server."""
        self.reset()
        self._server.stop()

    def upstream(self, ask: Ask, http_: Http) -> Reply | Mapping[str, Any]:
        """Answer from moto's state: everything at once where the operation pages, else moto's own reply."""
        paging = paging_of(ask.model)
        if paging is None:
            return self._forwarded(http_)
        client = self._client(ask.service, ask.region, ask.access_key, raw=True)
        try:
            return _everything(getattr(client, xform_name(ask.operation)), paging, paging.bare(ask.params))
        except ClientError as error:
            said, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Refusal(said.get("Code", ""), said.get("Message", ""), status) from error

    def _forwarded(self, request: Http) -> Reply:
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(request.method, request.target, request.body, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            return Reply(answer.status, kept, answer.read())
        finally:
            connection.close()

    def _new_client(self, service: str, region: str, access_key: str, *, raw: bool = False) -> Any:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, max_pool_connections=16)
        with _CREATING:
            client = _session(access_key).client(service, region, endpoint_url=self.url, config=config)
        # boto3 decodes policy documents; what is served on has to be as the wire had it.
        if raw:
            client.meta.events.unregister("after-call.iam", json_decode_policies)
        return client


@cache
def _session(access_key: str) -> Any:
    return boto3.Session(access_key, "secret")


def _everything(call: Any, paging: Paging, bare: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    token: Any = None
    while True:
        output = call(**bare, **({paging.token_in[0]: token} if token else {}))
        for path in paging.results:
            put(output, path, [*(look(whole, path) or ()), *(look(output, path) or ())])
        whole, token = output, look(output, paging.token_out)
        if not token:
            return {name: value for name, value in whole.items() if name != "ResponseMetadata"}
