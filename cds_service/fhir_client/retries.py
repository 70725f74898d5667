"""Retries against FHIR servers: what is tried again, how often, after which pause, within the time of the call."""

from __future__ import annotations

from typing import Any, Self

from urllib3 import Retry
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.response import BaseHTTPResponse

from cds_service.fhir_client.deadlines import Deadline

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.1
_TRY_AGAIN = (429, 502, 503, 504)


def retries_within(deadline: Deadline) -> RetryInTime:
    """The retries of one task: none begins after its deadline."""
    retries = RetryInTime(
        total=_ATTEMPTS - 1,
        read=1,
        redirect=0,
        other=0,
        status_forcelist=_TRY_AGAIN,
        backoff_factor=_PAUSE_SECONDS,
        raise_on_status=False,
    )
    retries.deadline = deadline
    return retries


class RetryInTime(Retry):
    """Retries a read with growing pauses, or after the pause the server asks for, while that fits the deadline."""

    deadline: Deadline | None = None

    def new(self, **changes: Any) -> Self:
        following = super().new(**changes)
        following.deadline = self.deadline
        return following

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        pause = following.get_backoff_time()
        if response is not None:
            pause = self.get_retry_after(response) or pause
        if self.deadline is not None and pause >= self.deadline.left:
            raise MaxRetryError(_pool, url or "", error)
        return following

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """A pause that is neither a number nor a date was not asked for."""
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None
