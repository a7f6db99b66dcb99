"""Who used what: messages, tokens and costs by user, model, source and day."""

from .mark import AppMark, UsageMark
from .models import UsageDimension, UsageError, UsageRow
from .usage import Usage

__all__ = ["AppMark", "Usage", "UsageDimension", "UsageError", "UsageMark", "UsageRow"]
