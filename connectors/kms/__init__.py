"""AWS KMS as the keeper of keys: those that sign, those that wrap. Nothing here is read as evidence.

It is apart from the AWS connector so that a configuration that names it is read without the SDK.
"""
