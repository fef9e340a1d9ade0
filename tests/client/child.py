"""A trading process for tests that need one of their own. Usage: child.py URL TOKEN [HALT_FILE]

It writes one line for each question on its standard input: `yes` or `no`, and the monotonic time of the answer.
"""

import sys
import time

from opsclient import KillSwitch, OpsConsole, clock


def main(url: str, token: str, halt_file: str | None = None) -> None:
    """Answer until the input ends."""
    console = OpsConsole(url, token=token, name="child", halt_file=halt_file)
    switch = KillSwitch(console)
    console.wait_until_live()
    print("ready", flush=True)  # noqa: T201  # the tests read it
    for _question in sys.stdin:
        allowed, at = switch.is_trading_allowed(), clock.now()
        print("yes" if allowed else "no", at, time.time(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
