"""How far a long command has come."""

from io import StringIO

from opsconsole.audit.sealing.progress import Bar


class Screen(StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, msg: str = "", *, ending: str | None = "\n") -> int:  # as Django's
        return super().write(f"{msg}{ending}")


def test_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    moments = iter([0.0, 0.0, 0.0, 0.05, 0.2, 0.2])
    screen = Screen(is_terminal=True)
    bar = Bar(screen, lambda: next(moments))  # type: ignore[arg-type]  # as Django's
    for done in (0, 10, 20):
        bar.show(done, 40)
    bar.clear()
    assert screen.getvalue().split("\r\x1b[K")[1:] == [
        f"[{'.' * 40}]   0%  0 of 40",
        f"[{'#' * 20}{'.' * 20}]  50%  20 of 40",
        "",
    ]
    moments = iter([0.0, 9.0, 10.0, 10.0, 12.0])
    screen = Screen(is_terminal=False)
    bar = Bar(screen, lambda: next(moments))  # type: ignore[arg-type]  # as Django's
    for done in (10, 20, 30):
        bar.show(done, 40)
    bar.clear()
    assert screen.getvalue() == " 50%  20 of 40\n"
