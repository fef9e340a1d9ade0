"""One small module for each kind of check. Each looks once, and says what it found; none knows when, how often, or what follows."""
