"""The sandbox log's mirror: read it, let a stranger audit it, and let it run ahead of the database."""

import subprocess
import sys
from pathlib import Path

from certificates.logkeys import keyring_of, signer_of
from certificates.translog.checkpoints import Checkpoint
from certificates.translog.folder import Folder
from certificates.translog.merkle import Tree, leaf_hash

AUDIT = Path(__file__).resolve().parents[2] / "tools" / "audit_log.py"


def files(folder: Path) -> dict[str, bytes]:
    """What the folder holds, but for its lock."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def audit(folder: Path, *more: object) -> subprocess.CompletedProcess[str]:
    """The stranger's tool on the mirror."""
    command = [sys.executable, "-I", AUDIT, folder, *map(str, more)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def lengthen(folder: Path, *entries: bytes, altered: bool = False) -> None:
    """As if the log had gone on after this database's backup; or, altered, had been another one."""
    mirrored = Folder(folder, keyring_of(livemode=False))
    tree = Tree(leaf_hash(data) for data in [*mirrored.entries(), *entries])
    root = bytes(32) if altered else tree.root(len(tree))
    signer = signer_of(livemode=False)
    mirrored.extend(signer.sign(Checkpoint(signer.origin, len(tree), root)), entries)
