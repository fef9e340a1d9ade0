"""What the web process keeps from the collector of garbage."""

import gc

from opsconsole.asgi import settle

# Of Django, the apps and their libraries: less would mean that they were not loaded yet.
LOADED = 50_000


def test_what_is_loaded_at_the_start_is_never_looked_at_again() -> None:
    gc.unfreeze()
    try:
        settle()
        assert gc.get_freeze_count() > LOADED
        assert len(gc.get_objects()) < LOADED / 10
    finally:
        gc.unfreeze()
