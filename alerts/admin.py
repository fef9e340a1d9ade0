"""Alerts in the Django admin."""

from alerts.admin_people import BotPollAdmin, ChatLinkAdmin

__all__ = ["BotPollAdmin", "ChatLinkAdmin"]
