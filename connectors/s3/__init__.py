"""S3 and what speaks like it, as a place to keep checkpoints. Nothing here is read as evidence.

It is apart from the AWS connector so that a configuration that names it is read without the SDK.
"""
