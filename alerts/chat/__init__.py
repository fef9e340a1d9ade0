"""Alerts in chats: buttons that people press, and accounts linked to people."""
