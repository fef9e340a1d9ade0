"""One console with trading processes for all fault tests: real PostgreSQL, Valkey, web process and clients, a term of half a second."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.fault_matrix import Matrix, matrix
from tests.migrated import data_folder

TERM = 0.5
CLIENTS = 3


@pytest.fixture(scope="module")
def running() -> Iterator[Matrix]:
    with data_folder() as made, matrix(made, term=TERM, clients=CLIENTS, durable=False) as prepared:
        yield prepared


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as made:
        yield made
