"""The AI calls that a trader would make each day: simulated, the same for the same day, at the prices of real models. No I/O."""

import random
from dataclasses import dataclass

# USD for a million tokens: input, cached input, output; as the providers' price lists of late 2025 have them.
PRICES = {
    ("anthropic", "claude-sonnet-4-5"): (3.00, 0.30, 15.00),
    ("anthropic", "claude-haiku-4-5"): (1.00, 0.10, 5.00),
    ("openai", "gpt-5-mini"): (0.25, 0.025, 2.00),
}
# One call in so many fails, and costs nothing.
FAILS_ONE_IN = 200
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model. `saved_usd`: what the cached tokens would have cost in full."""

    provider: str
    model: str
    status: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float
    saved_usd: float


def billed(provider: str, model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> Call:
    """A call that has succeeded, at its model's prices. `input_tokens`: without those that were cached."""
    fresh_price, cached_price, answer_price = PRICES[provider, model]
    cost = (
        input_tokens * fresh_price + cached_tokens * cached_price + output_tokens * answer_price
    ) / MILLION
    saved = cached_tokens * (fresh_price - cached_price) / MILLION
    return Call(provider, model, "success", input_tokens, cached_tokens, output_tokens, cost, saved)


def failed(provider: str, model: str) -> Call:
    """A call that has failed, and costs nothing."""
    return Call(provider, model, "error", 0, 0, 0, 0.0, 0.0)


def calls_of(ticker: str, date: str) -> list[Call]:
    """The day's analysis: news read by a small model, a decision by a large one."""
    chance = random.Random(f"{ticker} {date}")
    reader = ("openai", "gpt-5-mini") if chance.random() < 0.5 else ("anthropic", "claude-haiku-4-5")
    return [
        _call(chance, reader, prompt=(6_000, 12_000), answer=(300, 700)),
        _call(chance, ("anthropic", "claude-sonnet-4-5"), prompt=(3_000, 6_000), answer=(400, 900)),
    ]


def _call(
    chance: random.Random, model: tuple[str, str], *, prompt: tuple[int, int], answer: tuple[int, int]
) -> Call:
    if chance.randrange(FAILS_ONE_IN) == 0:
        return failed(*model)
    whole, said = chance.randint(*prompt), chance.randint(*answer)
    # The instructions come first in each prompt, so the provider has most of it in its cache.
    cached = int(whole * chance.uniform(0.90, 0.97))
    return billed(*model, input_tokens=whole - cached, cached_tokens=cached, output_tokens=said)
