"""Circuit breakers: what trading processes report of theirs, and what operators tell them."""
