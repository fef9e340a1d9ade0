"""Who may call what."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request


def require(request: Request, permission: str, *, to: str, role: str) -> None:
    """403 unless the account has the permission. The message says who has it: `Re-arming needs the role supervisor.`"""
    if not request.user.has_perm(permission):
        raise PermissionDenied(f"{to} needs the role {role}.")
