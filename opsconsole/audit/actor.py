"""Who does something. Every service function is told; none guesses."""

from dataclasses import dataclass

from opsconsole.audit.choices import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The author of a change: `name` is kept for good, the account's id may vanish with the account."""

    kind: ActorKind
    name: str
    user_id: int | None = None
    ip: str | None = None
    request_id: str = ""

    @classmethod
    def system(cls, name: str) -> "Actor":
        """The console itself, such as `settler`, or a command on the shell."""
        return cls(kind=ActorKind.SYSTEM, name=name)
