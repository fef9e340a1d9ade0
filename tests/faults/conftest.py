"""One console with trading processes for all fault tests: real PostgreSQL, Valkey, web process and clients, a term of half a second."""

import shutil
from collections.abc import Iterator

import pytest

from bench.fault_matrix import Matrix, matrix
from tests.servers import temporary_folder

TERM = 0.5
CLIENTS = 3


@pytest.fixture(scope="module")
def running() -> Iterator[Matrix]:
    folder = temporary_folder()
    try:
        with matrix(folder, term=TERM, clients=CLIENTS, durable=False) as prepared:
            yield prepared
    finally:
        shutil.rmtree(folder, ignore_errors=True)
