"""The command line of `script/server`."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from opsconsole.embedded import servers
from opsconsole.embedded.errors import StartError
from opsconsole.embedded.folder import DataFolder
from opsconsole.supervisor.children import say
from opsconsole.supervisor.console import Console, free_port
from opsconsole.supervisor.programs import ROOT, ConsolePrograms, console_environ


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("must lie between 0 (any free port) and 65535")
    return port


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/server", description="Run the console until Ctrl-C.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=8000, help="port to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, help="data folder (default: OPSCONSOLE_DATA, or var in the checkout)"
    )
    parser.add_argument("--demo", action="store_true", help="also run four demo trading processes")
    return parser.parse_args(arguments)


def serve(options: argparse.Namespace) -> None:
    """Raises StartError."""
    folder = DataFolder(options.data or servers.data_path(ROOT, os.environ))
    folder.hold("script/server")
    try:
        port = free_port(options.host, options.port)
        folder.reclaim(lambda text: say("console", text))
        brought = servers.prepare(folder, os.environ, lambda text: say("console", text))
        environ = console_environ(folder, os.environ) | brought.environ()
        programs = ConsolePrograms.new(folder, environ, options.host, port)
        folder.record(environ=brought.environ())
        asyncio.run(Console(folder, brought, programs, demo=options.demo).run())
    finally:
        folder.release()


def main() -> None:
    os.umask(0o022)
    try:
        serve(parse(sys.argv[1:]))
    except StartError as error:
        sys.exit(f"script/server: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
