"""A circuit breaker as one would explain it: slow, obvious, with a list of everything. The real one is held against it."""

from dataclasses import dataclass, field

from opsclient.circuit_breaker import CircuitConfig, WindowType

CLOSED, OPEN, HALF_OPEN = "CLOSED", "OPEN", "HALF_OPEN"
TWENTIETHS = 20


@dataclass
class Outcome:
    at: float
    failed: bool
    slow: bool


@dataclass
class Call:
    """One that was let in. `stretch`: between which two changes of state."""

    number: int
    stretch: int
    probe: bool


@dataclass
class Model:
    config: CircuitConfig
    now: float
    state: str = CLOSED
    stretch: int = 0
    since: float = 0.0  # when the window began
    log: list[Outcome] = field(default_factory=list)
    in_a_row: int = 0
    opened_at: float = 0.0
    until: float = 0.0
    openings: int = 0
    probes: dict[int, float] = field(default_factory=dict)
    dropped: list[int] = field(default_factory=list)
    good: int = 0
    calls: int = 0
    hold: tuple[str, float] | None = None  # the state, and until when
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("success", "failure", "slow", "ignored", "rejected"), 0)
    )
    changes: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.since = self.now

    def begin(self) -> Call | None:
        if self.state == CLOSED:  # nobody looks at the clock for that
            return self.let_in(probe=False)
        self.end_of_hold()
        if self.state == OPEN and self.now >= self.until:
            self.half_open("timeout_over")
        if self.state == HALF_OPEN:
            for number in self.dropped:
                if self.probes.pop(number, None) is not None:
                    self.counts["ignored"] += 1
            self.dropped = []
            if len(self.probes) < (self.config.permitted_calls_in_half_open or self.config.success_threshold):
                return self.let_in(probe=True)
            if self.now - min(self.probes.values()) >= self.config.max_half_open_seconds:
                self.open("probe_failed")
        self.counts["rejected"] += 1
        return None

    def let_in(self, *, probe: bool) -> Call:
        self.calls += 1
        if probe:
            self.probes[self.calls] = self.now
        return Call(self.calls, self.stretch, probe)

    def end(self, call: Call, seconds: float, *, failed: bool) -> None:
        slow_after = self.config.slow_call_duration_seconds
        slow = slow_after is not None and seconds > slow_after
        self.counts["failure" if failed else "success"] += 1
        self.counts["slow"] += slow
        self.end_of_hold()
        if call.stretch != self.stretch:
            return
        if self.state == CLOSED:
            self.log.append(Outcome(self.now, failed, slow))
            self.in_a_row = self.in_a_row + 1 if failed else 0
            if failed or slow:
                self.judge(failed=failed)
        elif self.probes.pop(call.number, None) is not None:
            if failed or (slow and self.config.slow_call_rate_threshold is not None):
                self.open("probe_failed")
            else:
                self.good += 1
                if self.good >= self.config.success_threshold:
                    self.close("probes_succeeded")

    def end_of_neither(self, call: Call) -> None:
        self.counts["ignored"] += 1
        self.probes.pop(call.number, None)

    def drop(self, call: Call) -> None:
        if call.probe:
            self.dropped.append(call.number)

    def judge(self, *, failed: bool) -> None:
        config, window = self.config, self.window()
        enough = len(window) >= config.minimum_number_of_calls
        failures = 100 * sum(one.failed for one in window) / len(window)
        slow = 100 * sum(one.slow for one in window) / len(window)
        if self.hold is not None:
            return
        if failed and config.failure_threshold and self.in_a_row >= config.failure_threshold:
            self.open("failure_threshold")
        elif enough and config.failure_rate_threshold and failures >= config.failure_rate_threshold:
            self.open("failure_rate")
        elif enough and config.slow_call_rate_threshold and slow >= config.slow_call_rate_threshold:
            self.open("slow_rate")

    def window(self) -> list[Outcome]:
        if self.config.window_type == WindowType.COUNT:
            return self.log[-self.config.window_size :]
        width = self.config.window_size / TWENTIETHS

        def page(at: float) -> int:
            return int((at - self.since) / width)

        return [one for one in self.log if page(one.at) > page(self.now) - TWENTIETHS]

    def reset(self) -> None:
        if self.hold is not None and self.hold[0] == OPEN:
            self.openings = 0
        else:
            self.close("reset")

    def force(self, state: str, until: float) -> None:
        if self.hold is not None and self.hold[0] == state:
            self.hold = (state, until)
            if state == OPEN:
                self.until = until
            return
        self.hold = (state, until)
        if state == OPEN:
            self.opened_at = self.now
            self.until = until
            self.move(OPEN, "force_open")
        else:
            self.close("force_closed")

    def release(self) -> None:
        if self.hold is None:
            return
        held, self.hold = self.hold[0], None
        if held == OPEN:
            self.half_open("release")
        else:
            self.stretch += 1
            self.begin_window()

    def end_of_hold(self) -> None:
        if self.hold is not None and self.now >= self.hold[1]:
            self.release()

    def retune(self, config: CircuitConfig) -> None:
        before, self.config = self.config, config
        if self.state == CLOSED:
            if before.window_type != config.window_type:
                self.log, self.since = [], self.now
            elif config.window_type == WindowType.COUNT:
                self.log = self.log[-before.window_size :]
            elif before.window_size != config.window_size:
                self.log, self.since = [], self.now
        elif self.state == OPEN and self.hold is None:
            self.until = self.opened_at + self.open_seconds()

    def open_seconds(self) -> float:
        seconds = self.config.timeout_seconds * self.config.timeout_multiplier ** max(0, self.openings - 1)
        return min(seconds, self.config.max_timeout_seconds or 10 * self.config.timeout_seconds)

    def open(self, why: str) -> None:
        self.openings += 1
        self.opened_at = self.now
        self.until = self.now + self.open_seconds()
        self.move(OPEN, why)

    def half_open(self, why: str) -> None:
        self.move(HALF_OPEN, why)

    def close(self, why: str) -> None:
        self.openings = 0
        self.move(CLOSED, why)
        self.begin_window()

    def begin_window(self) -> None:
        self.log, self.since, self.in_a_row = [], self.now, 0

    def move(self, state: str, why: str) -> None:
        if state != self.state:
            self.changes.append((self.state, state, why))
        self.state = state
        self.stretch += 1
        self.probes, self.good = {}, 0
