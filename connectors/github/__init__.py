"""GitHub: settings and credentials in Python, the kinds as TOML beside them."""

from connectors.github.connector import GithubConnector

connector = GithubConnector()

__all__ = ["connector"]
