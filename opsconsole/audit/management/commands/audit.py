"""`manage.py audit`: check the trail, and print the key that its checkpoints are signed with."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from opsconsole.audit.sealing.checkpoints import Keys
from opsconsole.audit.sealing.findings import Finding
from opsconsole.audit.sealing.keeping import Kept, read_kept
from opsconsole.audit.sealing.outlet import FILE
from opsconsole.audit.sealing.progress import Bar
from opsconsole.audit.sealing.services import NothingToAccept, accept_lost_key
from opsconsole.audit.sealing.verifying import Verified, verify
from opsconsole.audit.shell import shell_actor

VERIFY = (
    "Compare every event with its hash, the hashes with the sealed tree, and the tree with each seal and with checkpoints that were kept outside. "
    "Names what was edited, removed or inserted. Exit code 1 if anything was. Nothing is changed."
)
ACCEPT = (
    "Go on sealing after OPSCONSOLE_SECRET_KEY was lost: take what was sealed with it as it is. Only if the old one cannot be put into "
    "OPSCONSOLE_SECRET_KEY_FALLBACKS. The trail says who did so, and why."
)
KEY = "Print the public key of the checkpoints, as C2SP signed notes write it; keys of before, from SECRET_KEY_FALLBACKS, below it."


class Command(BaseCommand):
    help = "The seal on the audit trail: `verify` it, print its public `key`, or go on after that was lost (`accept-lost-key`)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="{verify,key,accept-lost-key}")
        asked = actions.add_parser("verify", help=VERIFY, description=VERIFY)
        asked.add_argument(
            "--checkpoints",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a file of checkpoints that you have kept; may be given again. The console's own is read anyway",
        )
        actions.add_parser("key", help=KEY, description=KEY)
        accept = actions.add_parser("accept-lost-key", help=ACCEPT, description=ACCEPT)
        accept.add_argument("--reason", required=True, help="why, for the trail")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "key":
            for verifier in Keys().verifiers(settings.AUDIT_ORIGIN):
                self.stdout.write(verifier.vkey)
        elif action == "accept-lost-key":
            self._accept(options["reason"])
        else:
            self._verify(options["checkpoints"])

    def _accept(self, reason: str) -> None:
        if not reason.strip():
            raise CommandError("--reason must say why")
        try:
            seal = accept_lost_key(actor=shell_actor(), reason=reason, now=timezone.now())
        except NothingToAccept as nothing:
            raise CommandError(f"There is no lost key to accept. {nothing}") from None
        self.stdout.write(
            f"Accepted up to seal {seal.pk} ({seal.size:,} events), which key {seal.key_id} had signed."
        )

    def _verify(self, files: list[Path]) -> None:
        kept, unbelievable = _kept(files)
        bar = Bar(self.stderr)

        def tell(finding: Finding) -> None:
            bar.clear()
            self.stdout.write(finding.words)

        for finding in unbelievable:
            tell(finding)
        verified = verify(tell=tell, progress=bar.show, kept=kept)
        bar.clear()
        self.stdout.write(_summed_up(verified))
        if count := verified.findings + len(unbelievable):
            raise CommandError(
                f"The audit trail is not what was written: {count:,} finding{'' if count == 1 else 's'}.",
                returncode=1,
            )
        self.stdout.write(self.style.SUCCESS("Nothing was edited, removed or inserted."))


def _kept(files: list[Path]) -> tuple[list[Kept], list[Finding]]:
    own = settings.DATA_DIR / FILE
    keys, kept, findings = Keys(), [], []
    for path in [*files, *([own] if own.is_file() else [])]:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise CommandError(f"--checkpoints: {path} cannot be read: {why}") from None
        for one in read_kept(text, name=path.name, keys=keys):
            if isinstance(one, Kept):
                kept.append(one)
            else:
                findings.append(one)
    return kept, findings


def _summed_up(verified: Verified) -> str:
    return (
        f"{verified.events:,} events, {verified.leaves:,} sealed, {verified.pending:,} waiting; {verified.seals:,} seals, "
        f"{verified.kept:,} kept checkpoints. Root {verified.root.hex()}"
    )
