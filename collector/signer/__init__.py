"""Signing the log's heads: a role of its own, in the daemon's process or in one that alone can read the key.

The signer never sees the database. It remembers the last head it signed, in a file, and asks for a proof.
"""

from collector.signer.memory import Remembered
from collector.signer.role import LogSigner
from collector.signer.signer import FileSigner
from collector.signer.socket import SocketSigner, serve

__all__ = ["FileSigner", "LogSigner", "Remembered", "SocketSigner", "serve"]
