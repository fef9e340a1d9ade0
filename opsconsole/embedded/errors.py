"""The one error of the embedded services and the supervisor."""


class StartError(Exception):
    """Something cannot start. The message is one clear sentence for the person at the terminal."""
