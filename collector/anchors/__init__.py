"""Anchors: where checkpoints are kept that the database's administrator cannot rewrite.

An anchor type is found by an entry point of the group ``evidenced.anchors``, ours like a stranger's.
"""

from collector.anchors.contract import Anchor, AnchorSettings, AnchorType, anchor_type, file_name, newest_name

__all__ = ["Anchor", "AnchorSettings", "AnchorType", "anchor_type", "file_name", "newest_name"]
