"""The parts of `opsclient.smart_alerts`, which has the public names."""
