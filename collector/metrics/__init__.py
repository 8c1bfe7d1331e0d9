"""What the daemon says of its own work in numbers, for Prometheus: names of sources and places, never of items."""

from collector.metrics.heard import Heard
from collector.metrics.server import Metrics

__all__ = ["Heard", "Metrics"]
