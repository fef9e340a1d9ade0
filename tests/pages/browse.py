"""The type of the fixture `browse`."""

from collections.abc import Callable

from django.test import Client

from opsconsole.accounts.models import User

Browse = Callable[[User], Client]
