"""The watchdog: once a minute a canary goes from beat through a worker and the outbox to an address outside.

Where it stays away is what is dead. Whoever waits outside misses it when all of the console is.
"""
