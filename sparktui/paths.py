"""Where sparktui keeps its things: one data folder, `SPARKTUI_HOME` or the platform's own."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

import platformdirs

from sparktui.errors import StoreError

HOME_ENV = "SPARKTUI_HOME"


def data_dir() -> Path:
    """Return the data folder, by its absolute path; it need not exist yet.

    Raises:
        StoreError: There is no home folder to put it in, what is there is a file, or its name is no text.
    """
    folder = _chosen()
    if not _is_text(folder):
        raise StoreError(
            f"the name of {folder} is not UTF-8, and cannot be stored or shown", "set SPARKTUI_HOME to another folder"
        )
    if folder.is_file():
        raise StoreError(f"{folder} is a file, and campaigns are kept in a folder", "set SPARKTUI_HOME to a folder")
    return folder


def _chosen() -> Path:
    chosen = os.environ.get(HOME_ENV)
    try:
        folder = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("sparktui", appauthor=False)
    except RuntimeError as error:
        raise StoreError(f"no home folder to keep campaigns in: {error}", "set SPARKTUI_HOME to a folder") from error
    return folder.absolute()


def _is_text(folder: Path) -> bool:
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        return False
    return True


def store_path() -> Path:
    """Return the store's file."""
    return data_dir() / "sparktui.db"


def run_dir(campaign: int) -> Path:
    """Return the folder of a campaign's logs, lock and launch state."""
    return data_dir() / "run" / str(campaign)


def ensure_private(folder: Path) -> Path:
    """Make a folder that only its owner can read, or take one in which nobody else can put things, and return it.

    Raises:
        StoreError: It cannot be made, is or was put there by somebody else, or others may write in it.
    """
    try:
        _make(folder)
        _close_above(folder)
        refuse_others(folder)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {folder}: {error.strerror}", "set SPARKTUI_HOME to a folder you can write to"
        ) from error
    return folder


def _make(folder: Path) -> None:
    """Make a folder and what is missing above it, each of mode 0700 whatever the umask."""
    if folder.is_dir():
        return
    _make(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        folder.chmod(0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def _close_above(folder: Path) -> None:
    """Close what an earlier version left open, under a loose umask, between the data folder and this one."""
    home = data_dir()
    for part in (folder, *folder.parents):
        if home in part.parents and not part.is_symlink() and part.stat().st_mode & 0o077:
            part.chmod(0o700)


def _is_of_one(gid: int) -> bool:
    """Tell whether a group is this user's alone: Debian and its kin make one for each, and folders it may write."""
    try:
        group = grp.getgrgid(gid)
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return group.gr_name == name and set(group.gr_mem) <= {name}


def is_own_file(file: int) -> bool:
    """Tell whether an open file is a plain one that this user has put there, and nobody else may write."""
    found = os.fstat(file)
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def refuse_others(folder: Path) -> None:
    """Refuse a folder into which somebody else could put things.

    Raises:
        StoreError: It is or was put there by another user, or others may write in it.
    """
    found = folder.stat()
    if found.st_uid != os.geteuid() or folder.lstat().st_uid != os.geteuid():
        raise StoreError(
            f"{folder} belongs to another user, who could put things into it",
            "set SPARKTUI_HOME to a folder of your own",
        )
    if found.st_mode & 0o002 or (found.st_mode & 0o020 and not _is_of_one(found.st_gid)):
        raise StoreError(
            f"others may put things into {folder}", f"`chmod go-w {folder}`, or set SPARKTUI_HOME to another folder"
        )
