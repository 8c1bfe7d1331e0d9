"""boto3 by itself, for what our code has to be compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore import xform_name

from tests.fakes.aws.fixtures import START
from tests.fakes.aws.paging import look, paging_of


@dataclass
class Boto:
    """boto3 by itself: its paginators, or a loop over the token where it has none. Counts what it lists.

    *connect* makes a client of a service in a region; events are asked for from *since* to *until*.
    """

    connect: Callable[[str, str], Any]
    region: str = "us-east-1"
    since: datetime = START
    until: datetime = START
    listed: Counter[str] = field(default_factory=Counter)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def call(self, service: str, operation: str, region: str | None = None, **params: Any) -> dict[str, Any]:
        """Return one answer without its metadata."""
        answer = getattr(self._client(service, region or self.region), xform_name(operation))(**params)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def items(self, service: str, operation: str, key: str, **params: Any) -> list[Any]:
        """Return every item of every page."""
        client, name = self._client(service, self.region), xform_name(operation)
        if client.can_paginate(name):
            pages = client.get_paginator(name).paginate(**params)
        else:
            pages = self._token_loop(service, operation, params)
        items = [item for page in pages for item in look(page, key) or ()]
        self.listed[f"{service}.{operation}"] += len(items)
        return items

    def error(
        self, code: str, service: str, operation: str, region: str | None = None, **params: Any
    ) -> dict[str, Any] | None:
        """Return one answer, or None when AWS says *code*."""
        try:
            return self.call(service, operation, region, **params)
        except self._client(service, region or self.region).exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in code.split("|"), error
            return None

    def _token_loop(self, service: str, operation: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        client = self._client(service, self.region)
        paging = paging_of(client.meta.service_model.operation_model(operation))
        while True:
            page = self.call(service, operation, **params)
            yield page
            if paging is None or not page.get(paging.token_out):
                return
            params = {**params, paging.token_in[0]: page[paging.token_out]}

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self.clients:
            self.clients[service, region] = self.connect(service, region)
        return self.clients[service, region]
