"""Who asks, decided on the event loop where that needs no database."""

from hashlib import sha256
from time import monotonic

from asgiref.typing import HTTPScope
from django.utils import timezone

from opsconsole.accounts.actor import actor_of_account
from opsconsole.accounts.authentication import bearer, local_caller
from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.recent import KEEP_S, recent_tokens
from opsconsole.accounts.services import authenticate_token
from opsconsole.audit.actor import Actor
from opsconsole.live.database import in_database
from opsconsole.pool import WorkerPool

MOST = 1000


class Admissions:
    """Accounts with a permission (None: all). `pool`: where tokens are looked up that were not seen lately."""

    def __init__(self, pool: WorkerPool, *, permission: str | None) -> None:
        self._pool = pool
        self._permission = permission
        # By digest of the header and address; valid only while `recent_tokens` still has the token, so that revoking it ends this, too.
        self._tokens: dict[tuple[bytes, str], tuple[ApiToken, Actor]] = {}
        self._local: dict[tuple[object, ...], tuple[float, Actor]] = {}

    async def actor(self, scope: HTTPScope) -> Actor | None:
        """None: nobody who may, or nobody that we know; Django's view says which. Raises PoolFull and the database's errors."""
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        client = scope["client"]
        ip = client[0] if client else ""
        authorization = headers.get(b"authorization")
        if authorization is None:
            return await self._of_local(ip, headers)
        key = sha256(authorization).digest(), ip
        found = self._tokens.get(key)
        if found is not None and self._still_good(found[0]):
            return found[1]
        text = authorization.decode("latin-1")
        admitted = await self._pool.submit(in_database(lambda: self._admitted(text, ip)))
        if admitted is not None:
            if len(self._tokens) >= MOST:
                self._tokens = {}
            self._tokens[key] = admitted
        return None if admitted is None else admitted[1]

    async def _of_local(self, ip: str, headers: dict[bytes, bytes]) -> Actor | None:
        names = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
        key = ip, names.get("host", ""), tuple(sorted(names))
        found = self._local.get(key)
        if found is not None and monotonic() < found[0]:
            return found[1]
        actor = await self._pool.submit(in_database(lambda: self._admitted_locally(ip, names)))
        if actor is not None:
            if len(self._local) >= MOST:
                self._local = {}
            self._local[key] = monotonic() + KEEP_S, actor
        return actor

    def _still_good(self, token: ApiToken) -> bool:
        return recent_tokens.get(token.digest) is token and token.is_valid(now=timezone.now())

    def _admitted(self, authorization: str, ip: str) -> tuple[ApiToken, Actor] | None:
        token = authenticate_token(bearer(authorization) or "")
        if token is None or not self._may(token.user):
            return None
        return token, actor_of_account(user=token.user, token=token, ip=ip)

    def _admitted_locally(self, ip: str, headers: dict[str, str]) -> Actor | None:
        user = local_caller(ip=ip, headers=headers)
        if user is None or not self._may(user):
            return None
        return actor_of_account(user=user, token=None, ip=ip)

    def _may(self, user: User) -> bool:
        return self._permission is None or user.has_perm(self._permission)
