"""Google Cloud: settings, credentials and the walk in Python, the kinds as TOML beside them."""

from connectors.gcp.connector import GcpConnector

connector = GcpConnector()

__all__ = ["connector"]
