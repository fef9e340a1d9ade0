"""A demo trading system: a simulated venue, four trading processes that follow the console, and a report at
the end.
"""
