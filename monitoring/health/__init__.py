"""Health: what is looked at, how often, what came of it, and whether it is well."""
