"""Bundles: what an engagement rests on, in one file that anybody can check without this program."""

from collector.export.bundle import Made, export

__all__ = ["Made", "export"]
