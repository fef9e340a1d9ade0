"""Parcels as the event loop reads them, recorded as its thread records them."""

import json
from datetime import datetime, timedelta
from typing import Any

from alerts.alertmanager.known import KnownAlerts
from alerts.alertmanager.parcels import Parcel, read_parcel
from alerts.alertmanager.recording import Budget, Recorded, record
from alerts.alertmanager.times import time_text
from alerts.models import Alert
from tests.alerts.alertmanager.caller import posted
from tests.cast import ROOT


def parcel(*alerts: dict[str, Any], at: datetime, known: KnownAlerts) -> Parcel:
    return read_parcel(json.dumps(alerts).encode(), actor=ROOT, known=known, now=at)


class Web:
    """A web process, as far as it knows alerts."""

    def __init__(self) -> None:
        self.known = KnownAlerts()
        self.budget = Budget()

    def post(self, *alerts: dict[str, Any], at: datetime) -> Recorded:
        return record([parcel(*alerts, at=at, known=self.known)], self.known, self.budget, now=at)


def storm(*names: str, **labels: str) -> list[dict[str, Any]]:
    return [posted(name, severity="warning", **labels) for name in names]


def over(name: str, at: datetime) -> dict[str, Any]:
    return storm(name)[0] | {"endsAt": time_text(at - timedelta(seconds=1))}


def titles() -> dict[str, int]:
    return dict(Alert.objects.values_list("title", "count"))
