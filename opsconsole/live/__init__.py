"""The live bus: `publish()` inside a transaction, the hub, and the streams of trading processes and browsers."""
