"""Where the installation is reached: which hosts are its own, and whether its cookies travel over TLS alone."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from collector.config_web import is_loopback


@dataclass(frozen=True, slots=True)
class Place:
    """*public_url* is where browsers find it (empty: on this machine alone), *tls* whether they do so over TLS.

    *behind_proxy* says that requests come by a proxy of the installation's own, so that the peer is nobody.
    """

    public_url: str = ""
    tls: bool = False
    behind_proxy: bool = False

    def is_ours(self, host: str) -> bool:
        """Return whether *host*, as a request's header names it, is this installation's: public, or loopback.

        A page elsewhere can have its own name point at this machine, and so reach what listens there; but the header
        still says that name.
        """
        if self.public_url and host.lower() == urlsplit(self.public_url).netloc:
            return True
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and is_loopback(name)

    def origin(self, host: str) -> str:
        """Return the origin of pages that are asked for at *host*, one of ours."""
        if self.public_url and host.lower() == urlsplit(self.public_url).netloc:
            return self.public_url
        return f"{'https' if self.tls and not self.behind_proxy else 'http'}://{host.lower()}"
