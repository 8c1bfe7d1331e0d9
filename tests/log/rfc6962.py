"""The Merkle tree a second time, straight from the text: RFC 6962, 2.1 to 2.1.2, and the verification of RFC 9162.

Recursive over lists of leaves, as the RFCs define it; it shares nothing with `collector.log.tree`.
"""

import hashlib


def mth(leaves):
    """Merkle Tree Hash (RFC 6962, 2.1)."""
    n = len(leaves)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = _largest_power_of_two_below(n)
    return _node(mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    """Merkle audit path (RFC 6962, 2.1.1)."""
    n = len(leaves)
    if n == 1:
        return []
    k = _largest_power_of_two_below(n)
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m, leaves):
    """Merkle consistency proof (RFC 6962, 2.1.2)."""
    return _subproof(m, leaves, True)


def _subproof(m, leaves, b):
    n = len(leaves)
    if m == n:
        return [] if b else [mth(leaves)]
    k = _largest_power_of_two_below(n)
    if m <= k:
        return [*_subproof(m, leaves[:k], b), mth(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def includes(leaf_hash, leaf_index, tree_size, inclusion_path, root_hash):
    """Verifying an inclusion proof (RFC 9162, 2.1.3.2)."""
    if leaf_index >= tree_size:
        return False
    fn, sn, r = leaf_index, tree_size - 1, leaf_hash
    for p in inclusion_path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = _node(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = _node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root_hash


def extends(first, second, first_hash, second_hash, consistency_path):
    """Verifying consistency between two tree heads (RFC 9162, 2.1.4.2), for 0 < first < second."""
    if not consistency_path:
        return False
    if first & (first - 1) == 0:
        consistency_path = [first_hash, *consistency_path]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = consistency_path[0]
    for c in consistency_path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_hash and sr == second_hash and sn == 0


def _node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def _largest_power_of_two_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k
