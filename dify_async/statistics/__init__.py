"""The twelve statistics of apps."""

from .metrics import Metric
from .results import AppStatistics

__all__ = ["AppStatistics", "Metric"]
