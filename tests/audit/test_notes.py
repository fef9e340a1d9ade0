"""Signed notes and checkpoints: refusals first, then known answers."""

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from pytest_django import Settings

from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.notes import NoteRefused, Signer, Verifier, opened

# Of the tests of golang.org/x/mod/sumdb/note.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{LINE}"
PETER = Signer("PeterNeumann", SEED)
ROOT = sha256(b"").digest()


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", "no signed note"),
        (TEXT, "no signed note"),
        (NOTE.rstrip("\n"), "no signed note"),
        (NOTE.replace("answer", "Answer"), "not of this text"),
        (f"{TEXT}\n{LINE[:-3]}=\n", "cannot be read"),
        (f"{TEXT}\n{LINE.replace('— ', '- ')}", "no signature"),
        (f"{TEXT}\n{LINE.replace('PeterNeumann', 'Peter')}", "no key that is known"),
        (f"{TEXT}\n{LINE.replace('x08go', 'y08go')}", "no key that is known"),
    ],
)
def test_refuses(note: str, why: str) -> None:
    with pytest.raises(NoteRefused, match=why):
        opened(note, [PETER.verifier])


def test_known_answer() -> None:
    assert PETER.verifier.vkey == VKEY
    assert PETER.sign(TEXT) == NOTE
    assert opened(NOTE, [Verifier("other", bytes(32)), PETER.verifier]) == (TEXT, PETER.verifier)


def test_signatures_of_others_beside_it() -> None:
    other = Signer("witness.example", bytes(32)).sign(TEXT).rpartition("\n\n")[2]
    assert opened(f"{TEXT}\n{other}{LINE}", [PETER.verifier])[0] == TEXT


def test_the_seed_is_in_no_text() -> None:
    assert "seed" not in repr(PETER)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n",
        "origin\n5\n",
        "origin\n05\n{root}\n",
        "origin\n+5\n{root}\n",
        "origin\nfive\n{root}\n",
        "origin\n5\nAAAA\n",
        "origin\n-5\n{root}\n",
        "origin\n5\nno base64\n",
    ],
)
def test_what_is_signed_but_no_checkpoint(text: str, settings: Settings) -> None:
    settings.AUDIT_ORIGIN = "origin"
    note = Keys().signer().sign(text.format(root=b64encode(ROOT).decode()))
    with pytest.raises(NoteRefused, match="no checkpoint"):
        Keys().read(note)


def test_a_checkpoint_by_a_key_of_before(settings: Settings) -> None:
    settings.SECRET_KEY, settings.AUDIT_ORIGIN = "the old one", "ops.example.com"
    signer = Keys().signer()
    checkpoint = Checkpoint("ops.example.com", 7, ROOT)
    note = signer.sign(checkpoint.text)
    assert note.startswith(f"ops.example.com\n7\n{b64encode(ROOT).decode()}\n\n— ops.example.com ")
    settings.SECRET_KEY, settings.AUDIT_ORIGIN = "the new one", "elsewhere.example"
    with pytest.raises(NoteRefused, match="no key that is known"):
        Keys().read(note)
    settings.SECRET_KEY_FALLBACKS = ["another", "the old one"]
    assert Keys().read(note) == (checkpoint, signer.verifier)
    assert Keys().signer().verifier.public != signer.verifier.public


def test_the_origin_is_the_key_s_name(settings: Settings) -> None:
    settings.AUDIT_ORIGIN = "a.example"
    note = Keys().signer().sign(Checkpoint("b.example", 0, ROOT).text)
    with pytest.raises(NoteRefused, match="no key that is known"):
        Keys().read(note)
