"""The tamper-evident evidence log: an RFC 6962 Merkle tree over stored leaves, in the store's own database (design 8).

`tree` and `leaf` are pure; `ledger` reads and appends on the caller's connection, over the tables of `tables`.
"""
