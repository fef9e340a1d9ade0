"""What a page shows, as text."""

import re
from typing import Any

from django.test import Client


def text(client: Client, address: str, **extra: Any) -> str:
    response = client.get(address, **extra)
    assert response.status_code == 200
    return str(response.content.decode())


def words(page: str, part: str, *, end: str = "</div>") -> str:
    """What one part of the page says."""
    found = page.split(f'id="{part}"')[1].split(end, maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.partition(">")[2])).strip()
