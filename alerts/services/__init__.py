"""The only places that write alerts, rules, silences, channels and deliveries."""
