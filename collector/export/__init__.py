"""Bundles: what an engagement rests on, in one file that anybody can check without this program; and sheets as PDF."""

from collector.export.bundle import Made, Progress, export
from collector.export.pdfs import makes_pdf, sheet_pdf

__all__ = ["Made", "Progress", "export", "makes_pdf", "sheet_pdf"]
