"""`evidenced serve`: the API and the pages."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.opening import load_ours, opened, require_whole
from collector.cli.options import ConfigOption, LogFormatOption

if TYPE_CHECKING:
    from collector.config import Config


def serve(
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Over the configuration's.", show_default=False)
    ] = "",
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy of yours speaks TLS; its X-Forwarded-* are believed."),
    ] = False,
    log_format: LogFormatOption = "",
    config: ConfigOption = None,
) -> None:
    """Serve the API and the pages.

    It stays in the foreground until SIGTERM or Ctrl-C, beside the daemon or without one, and reads no source: no
    credential of a cloud comes into this process. It listens beyond this machine only with a certificate or behind a
    proxy. People sign in by a token (`evidenced token create`) or through the OpenID provider that [web.oidc] names.

    \b
    Example: evidenced serve
    Example: evidenced serve --listen 10.0.0.5:8300 --behind-proxy
    """
    from collector.clock import SystemClock
    from collector.encryption import local_keyring
    from collector.lasting import settle
    from collector.logs import configure_logs
    from collector.serving import for_serving, place_of, require_extra
    from collector.serving import serve as listen_and_serve

    settings = for_serving(load_ours(config), listen)
    require_extra()
    from collector.server import application

    place = place_of(settings, behind_proxy=behind_proxy)
    _compare(settings)
    configure_logs(settings.log.level, log_format or settings.log.format)  # type: ignore[arg-type]
    with opened(settings) as store:
        store.sealing.keys.use(local_keyring(settings.encryption))
        app = application(store, settings, SystemClock(), place)
        settle()
        listen_and_serve(app, settings, place)


def _compare(settings: Config) -> None:
    """Raise `HistoryError` as `require_whole` does, of a process of its own: anchors come with the SDKs of clouds."""
    if settings.checkpoints.signs or settings.checkpoints.anchors:
        with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:
            elsewhere.submit(_compared, settings).result()


def _compared(settings: Config) -> None:
    with opened(settings) as store:
        require_whole(settings, store)
