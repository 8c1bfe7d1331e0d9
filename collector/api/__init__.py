"""The HTTP API, ``/api/v1``: what the command line asks and records, for programs. Every answer is JSON."""

from collector.api.routes import router

__all__ = ["router"]
