"""Exit statuses of ``icans-cds`` and the refusal that carries one to the door."""

from __future__ import annotations

DONE = 0
FAULT = 1  # a fault of this program; its place is reported, never a traceback
USAGE = 2  # wrong options, a missing path, an unusable policy, mapping or configuration file, a port in use
NOT_FHIR = 3  # input that is not FHIR, or a file that cannot be read
NOTHING_EVALUABLE = 4  # FHIR without an infusion, an assessment or a steroid
UNAVAILABLE = 69  # a server or database cannot be reached, or answers with 5xx (sysexits EX_UNAVAILABLE)
TRY_LATER = 75  # a server asks to try again later (EX_TEMPFAIL)
NOT_AUTHORISED = 77  # a server does not accept the token (EX_NOPERM)
INTERRUPTED = 130


class Refusal(Exception):
    """What was asked cannot be done: one plain message for the user and the exit status that goes with it."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def place_of(error: BaseException) -> str:
    """Kind and place of an unexpected error, without its message: messages may quote the record."""
    import traceback

    written = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    if not written:
        return type(error).__name__
    frame = written[-1]
    return f"{type(error).__name__} in {frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})"
