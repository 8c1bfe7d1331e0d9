"""AWS: settings, credentials and the boto3 engine in Python; the kinds as TOML beside it."""

from connectors.aws.connector import AwsConnector

connector = AwsConnector()

__all__ = ["connector"]
