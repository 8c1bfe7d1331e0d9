"""Okta: settings and credentials in Python, the kinds as TOML beside them."""

from connectors.okta.connector import OktaConnector

connector = OktaConnector()

__all__ = ["connector"]
