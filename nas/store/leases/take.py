"""The lease that fits a store."""

from __future__ import annotations

from pathlib import Path

from nas.store.leases.folder import FolderLease
from nas.store.leases.lease import Lease

__all__ = ["take_lease"]


def take_lease(storage: str | None, study: str, run: Path, *, patient: bool = False) -> Lease:
    """A lease among the workers of a study.

    Locked files for a store that one machine has for itself, which its processes' deaths
    release at once; rows of the database for one that several machines share.

    Args:
        storage: URL of the store, ``None`` for the one embedded in the run folder.
        study: the study's name.
        run: the run folder.
        patient: whether to wait for a server from the first moment on.

    Raises:
        InputError: the store or the folder cannot be used.
    """
    from nas.store.database import database_file, is_server

    if storage is not None and is_server(storage):
        from nas.store.leases.store import StoreLease

        return StoreLease(storage, study, patient=patient)
    file = database_file(storage) if storage is not None else None
    # Searches with other run folders may use the same file: the locks lie beside it.
    beside = file.parent if file is not None and file.parent.is_dir() else run
    return FolderLease(beside / "workers", run)
