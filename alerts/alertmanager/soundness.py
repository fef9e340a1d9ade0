"""Whether an alert that Prometheus posts may be taken, and as what. Most are plainly sound, which is found out with few comparisons."""

from collections.abc import Mapping
from datetime import datetime

from alerts import limits
from alerts.alertmanager.contract import Labels, sound_alert
from alerts.alertmanager.parcels import Fresh
from alerts.alertmanager.taking import PROMETHEUS, as_raised, raised
from alerts.alertmanager.times import timeout_from
from alerts.labels import UNNAMED, LabelMapping
from alerts.services.raised import RaisedAlert

# Names of labels and annotations that were found right before, so that an alert costs one comparison of sets.
MOST_NAMES = 10_000
_good_names: set[str] = set()


def is_plain(fresh: Fresh, *, at: datetime) -> bool:
    """True: certainly within the contract and the limits. False: it takes `read()` to say."""
    labels, starts_at, ends_at = fresh.labels, fresh.starts_at, fresh.ends_at
    title = labels.get("alertname", UNNAMED)
    return (
        bool(labels)
        and all(labels.values())
        and len(title) <= limits.TITLE
        and not title.isspace()
        and _fits(labels, limits.LABEL_VALUE)
        and _fits(fresh.annotations, limits.ANNOTATION)
        and len(fresh.generator_url) <= limits.URL
        and fresh.generator_url.isprintable()
        and (ends_at is None or ends_at.year in limits.YEARS)
        and (starts_at is None or (starts_at.year in limits.YEARS and starts_at <= (ends_at or at)))
    )


def read(fresh: Fresh, *, meanings: LabelMapping, at: datetime) -> RaisedAlert:
    """For the engine, as of the time when it came. Raises ValueError with a sentence that says what is wrong with it."""
    if is_plain(fresh, at=at):
        return as_raised(
            labels=fresh.labels,
            annotations=fresh.annotations,
            starts_at=fresh.starts_at or fresh.ends_at or at,
            ends_at=fresh.ends_at or timeout_from(at),
            generator_url=fresh.generator_url,
            meanings=meanings,
            source=PROMETHEUS,
            now=at,
        )
    sound = sound_alert(
        labels=fresh.labels,
        annotations=fresh.annotations,
        starts_at=fresh.starts_at,
        ends_at=fresh.ends_at,
        generator_url=fresh.generator_url,
        now=at,
    )
    found = raised(sound, meanings=meanings, source=PROMETHEUS, now=at)
    _remember(sound.labels)
    _remember(sound.annotations)
    return found


def _fits(texts: Labels, longest: int) -> bool:
    if not texts:
        return True
    joined = "".join(texts.values())
    return (
        len(texts) <= limits.MOST_LABELS
        and texts.keys() <= _good_names
        and (len(joined) <= longest or max(map(len, texts.values())) <= longest)
        and joined.isprintable()
    )


def _remember(texts: Mapping[str, str]) -> None:
    if len(_good_names) < MOST_NAMES:
        _good_names.update(texts)
