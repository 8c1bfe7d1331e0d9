"""Entra: settings and credentials in Python, the kinds as TOML beside them."""

from connectors.entra.connector import EntraConnector

connector = EntraConnector()

__all__ = ["connector"]
