"""stub"""

from collector.connector import Problem
from collector.procedure import Kind


def lint(kind: Kind) -> list[Problem]:
    return []
