"""Azure: settings, credentials and the walk in Python, the kinds as TOML beside them."""

from connectors.azure.connector import AzureConnector

connector = AzureConnector()

__all__ = ["connector"]
