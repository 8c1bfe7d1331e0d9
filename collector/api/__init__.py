"""The HTTP API, ``/api/v1``: what the command line asks and records, for programs. It knows no connector."""

from collector.api.application import PREFIX, application, mounted

__all__ = ["PREFIX", "application", "mounted"]
