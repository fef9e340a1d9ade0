"""Static files under names that carry their digest."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Also inside JavaScript modules: an import names the digest too, so that no browser mixes scripts of two versions."""

    support_js_module_import_aggregation = True
