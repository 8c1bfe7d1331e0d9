"""evidenced: asks clouds and SaaS APIs what a SOC 2 auditor will ask, and keeps each answer provably."""

__version__ = "0.1.0"
