"""Everything that the alerts app keeps."""

from alerts.models.alert import Alert
from alerts.models.chat import BotPoll, ChatButton, ChatLink, LinkCode
from alerts.models.delivery import AlertMessage, Channel, Delivery, DeliveryAttempt
from alerts.models.rules import AlertRule, LabelRule, Policy, ResponseTime
from alerts.models.silence import Silence
from alerts.models.tallies import HourCount, HourTally, KindTally, MinuteTally, TenMinuteTally
from alerts.models.waiting import PostedAlerts, RepeatBatch, Submission

__all__ = [
    "Alert",
    "AlertMessage",
    "AlertRule",
    "BotPoll",
    "Channel",
    "ChatButton",
    "ChatLink",
    "Delivery",
    "DeliveryAttempt",
    "HourCount",
    "HourTally",
    "KindTally",
    "LabelRule",
    "LinkCode",
    "MinuteTally",
    "Policy",
    "PostedAlerts",
    "RepeatBatch",
    "ResponseTime",
    "Silence",
    "Submission",
    "TenMinuteTally",
]
