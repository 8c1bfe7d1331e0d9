"""Connectors, one package a vendor. None imports another."""
