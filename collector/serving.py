"""Where `evidenced serve` listens, and on which terms: never beyond this machine in the clear."""

from __future__ import annotations

import signal
import socket
from importlib.util import find_spec
from ssl import SSLError
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from collector.config import Config, StoreSettings
from collector.config_web import WebSettings, is_loopback
from collector.errors import ConfigError
from collector.secrets import resolve_secret

if TYPE_CHECKING:
    from fastapi import FastAPI

    from collector.gate import Place

_EXTRA = ("authlib", "fastapi", "jinja2", "joserfc", "python_multipart", "uvicorn")
_TO_END = 10
_CONNECTIONS = 500


def require_extra() -> None:
    """Raise `ConfigError` unless everything that serving takes is installed."""
    if missing := [each for each in _EXTRA if find_spec(each) is None]:
        raise ConfigError(
            f"serving needs what is not installed: {', '.join(missing)}", hint="pip install 'evidenced[web]'"
        )


def for_serving(config: Config, listen: str = "") -> Config:
    """Return *config* as `evidenced serve` takes it: *listen* instead of its own, and the store of web.store_url.

    Raises `ConfigError` for what is no address, and for a reference that names nothing.
    """
    changed: dict[str, object] = {}
    if listen:
        try:
            changed["web"] = WebSettings.model_validate({**config.web.model_dump(), "listen": listen})
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            raise ConfigError(said, hint="--listen 127.0.0.1:8300 is where it listens by itself.") from error
    if config.web.store_url:
        url = resolve_secret(config.web.store_url)
        if not url.startswith("postgresql"):
            raise ConfigError(
                "web.store_url names no PostgreSQL store", hint="Other stores have no roles: leave it out."
            )
        changed["store"] = StoreSettings(url=url)
    return config.model_copy(update=changed)


def place_of(config: Config, *, behind_proxy: bool) -> Place:
    """Return where the installation is reached. Raises `ConfigError` for a place where others could listen in."""
    from collector.gate import Place

    web = config.web
    host, certificates = web.address[0], web.certificate_paths(config.path)
    for path in certificates or ():
        if not path.is_file():
            raise ConfigError(f"web.certificate, web.certificate_key: there is no file {path}")
    remote = behind_proxy or not is_loopback(host)
    if remote and not (certificates or behind_proxy):
        raise ConfigError(
            f"{host} can be reached from other machines, and without TLS anybody on the way reads what is shown",
            hint="Name web.certificate and web.certificate_key; or say --behind-proxy where a proxy of yours speaks "
            "TLS; or listen at 127.0.0.1.",
        )
    if remote and not web.public_url:
        raise ConfigError(
            "web.public_url is empty, so no request from another machine would be known as one to this installation",
            hint='Write under [web]: public_url = "https://evidence.example.org", as browsers call it.',
        )
    tls = bool(certificates) or (behind_proxy and web.public_url.startswith("https:"))
    return Place(web.public_url, tls, behind_proxy)


def serve(app: FastAPI, config: Config, place: Place) -> None:
    """Serve *app* until SIGTERM or SIGINT; then let requests under way end, for 10 seconds at most, and return.

    Raises `ConfigError` when it cannot listen.
    """
    import uvicorn

    web = config.web
    certificates = web.certificate_paths(config.path)
    certificate, key = map(str, certificates) if certificates else (None, None)
    settings = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        proxy_headers=place.behind_proxy,
        forwarded_allow_ips=web.proxies,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_TO_END,
    )
    try:
        settings.load()
    except (OSError, SSLError) as error:
        raise ConfigError(f"web.certificate, web.certificate_key: {error}") from error
    listening = _listen(*web.address)
    server = uvicorn.Server(settings)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn has handlers of its own while it serves, and then raises the signal again for whoever had one before.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    with listening:
        named = web.listen.rpartition(":")[0]
        scheme = "https" if certificates else "http"
        at = f"{scheme}://{named}:{listening.getsockname()[1]}"
        structlog.get_logger("web").info("serving", at=at, public_url=web.public_url)
        server.run([listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without delay (TCP_NODELAY) only on sockets that name their protocol, as create_server's do not; an
    # answer's body would wait 40 ms for the other side to acknowledge its head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_CONNECTIONS)
    except OSError as error:
        listening.close()
        raise ConfigError(f"web.listen: {host}:{port} cannot be listened at: {error.strerror}") from error
    return listening
