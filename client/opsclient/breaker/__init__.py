"""Circuit breakers: stop asking a service that fails, and find out when it works again."""
