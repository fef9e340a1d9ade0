"""PostgreSQL and Valkey from wheels, for when `DATABASE_URL` and `REDIS_URL` are not set.

Nothing here imports Django: the supervisor stays small, and the settings are read only once the addresses are known.
"""
