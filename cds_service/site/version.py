"""Version of the service, and when it was released."""

VERSION = "0.1.0"
RELEASE_STATUS = "0.1.0: not yet released"
