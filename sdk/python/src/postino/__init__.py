"""Publish events to Postino, manage its subscriptions, and verify its callbacks.

`postino.types` has the types of all requests and answers, made from Postino's
OpenAPI document. `postino.testing` starts Postino for a test.
"""

from .client import Page, Postino, Published
from .transport import PostinoError
from .verification import VerificationError, verify

__version__ = "0.1.0"
__all__ = ["Page", "Postino", "PostinoError", "Published", "VerificationError", "verify"]
