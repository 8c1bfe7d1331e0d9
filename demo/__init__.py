"""A cloud on loopback, the real daemon over it, and what an auditor then sees. Run by ``make demo``."""
