"""The checklist's pages, below /checklist."""

from datetime import date

from django.urls import path, register_converter

from opsconsole.checklist import views


class DayConverter:
    """`2026-11-24`."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return value.isoformat()


register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.page, name="checklist"),
    path("/sign", views.sign, name="checklist-sign"),
    path("/days", views.days, name="checklist-days"),
    path("/days/<day:day>", views.day, name="checklist-day"),
]
