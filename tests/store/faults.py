"""Faults at any write, sync, rename and deletion of a process: of SQLite's own C code, and of Python's.

SQLite's are reached where SQLite wants them to be: a VFS, here one that is the default VFS but for the methods that
change files (https://www.sqlite.org/vfs.html). Python's are the functions of ``os`` by which the store changes files.
"""

import _sqlite3
import ctypes
import errno
import os
import signal
from collections.abc import Callable
from enum import StrEnum
from typing import Any

_FULL, _IOERR, _IOERR_WRITE, _IOERR_FSYNC, _IOERR_TRUNCATE, _IOERR_DELETE, _IOERR_SHMSIZE = (
    13, 10, 778, 1034, 1546, 2570, 4874,
)  # fmt: skip
_Void, _Int, _Long, _Text = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_char_p
# SQLite keeps the pointer to a name: it must be passed on as it is, not as a copy of the text.
_Open = ctypes.CFUNCTYPE(_Int, _Void, _Void, _Void, _Int, _Void)
_Delete = ctypes.CFUNCTYPE(_Int, _Void, _Void, _Int)
_Write = ctypes.CFUNCTYPE(_Int, _Void, _Void, _Int, _Long)
_Truncate = ctypes.CFUNCTYPE(_Int, _Void, _Long)
_Sync = ctypes.CFUNCTYPE(_Int, _Void, _Int)
_ShmMap = ctypes.CFUNCTYPE(_Int, _Void, _Int, _Int, _Int, _Void)


_CALLS = (
    "write", "pwrite", "ftruncate", "fsync", "replace", "rename", "link", "unlink", "mkdir", "rmdir", "sendfile",
)  # fmt: skip
_FREEING = {"unlink", "rmdir", "sqlite delete"}  # what goes on a full disk too


class Fault(StrEnum):
    """What goes wrong from a moment on, or at it."""

    FULL = "the disk is full from then on; a write is cut short"
    BROKEN = "one call fails as a broken disk does"
    KILL = "the process is killed in the middle of the call"
    NONE = "nothing"


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("version", _Int), ("file_bytes", _Int), ("path_bytes", _Int), ("next", _Void), ("name", _Text),
        ("data", _Void), ("open", _Void), ("delete", _Void), ("rest", _Void * 20),
    ]  # fmt: skip


class _Methods(ctypes.Structure):
    _fields_ = [
        ("version", _Int), ("close", _Void), ("read", _Void), ("write", _Void), ("truncate", _Void), ("sync", _Void),
        ("size", _Void), ("lock", _Void), ("unlock", _Void), ("reserved", _Void), ("control", _Void), ("sector", _Void),
        ("device", _Void), ("shm_map", _Void), ("rest", _Void * 5),
    ]  # fmt: skip


class Faults:
    """Once begun, every call that changes a file is counted, and the ``at``-th goes wrong (from 1; 0: none)."""

    def __init__(self, fault: Fault, at: int) -> None:
        self.fault, self.at, self.calls = fault, at, 0
        self.seen: list[str] = []
        self._keep: list[Any] = []

    def begin(self) -> None:
        """From now on, for the rest of this process's life."""
        self._wrap_os()
        self._wrap_sqlite()

    def _is_due(self, name: str) -> bool:
        """Count a call; whether it goes wrong."""
        self.calls += 1
        self.seen.append(name)
        once = self.calls == self.at
        return once if self.fault is not Fault.FULL else 0 < self.at <= self.calls and name not in _FREEING

    def _die(self) -> None:
        if self.fault is Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)

    def _wrap_os(self) -> None:
        for name in _CALLS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **options: Any) -> Any:
            if not self._is_due(name):
                return call(*args, **options)
            if name in {"write", "pwrite"} and len(args[1]) > 1:
                call(args[0], args[1][: len(args[1]) // 2], *args[2:])
            self._die()
            number = errno.ENOSPC if self.fault is Fault.FULL else errno.EIO
            raise OSError(number, os.strerror(number))

        return failing

    def _wrap_sqlite(self) -> None:
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        real = library.sqlite3_vfs_find(None).contents
        ours = _Vfs.from_buffer_copy(real)
        ours.name = b"faults"
        self._open, self._methods = _Open(real.open), dict[int, _Methods]()
        delete = _Delete(real.delete)

        def failing_delete(vfs: int, name: int, sync: int) -> int:
            if self._is_due("sqlite delete"):
                self._die()
                return _IOERR_DELETE
            return int(delete(vfs, name, sync))

        ours.open = self._pointer(_Open, self._opened)
        ours.delete = self._pointer(_Delete, failing_delete)
        self._keep.append(ours)
        assert library.sqlite3_vfs_register(ctypes.byref(ours), 1) == 0

    def _pointer(self, kind: Any, call: Callable[..., int]) -> int | None:
        made = kind(call)
        self._keep.append(made)
        return ctypes.cast(made, _Void).value

    def _opened(self, vfs: int, name: int, file: int, flags: int, out: int) -> int:
        """Open as ever; then let the file have our methods."""
        code = int(self._open(vfs, name, file, flags, out))
        first = ctypes.cast(file, ctypes.POINTER(_Void))
        if code == 0 and first[0]:
            if first[0] not in self._methods:
                self._methods[first[0]] = self._changed(ctypes.cast(first[0], ctypes.POINTER(_Methods)).contents)
            first[0] = ctypes.addressof(self._methods[first[0]])
        return code

    def _changed(self, real: _Methods) -> _Methods:
        ours = _Methods.from_buffer_copy(real)
        if real.version < 2:
            ours = _Methods()
            ctypes.memmove(ctypes.byref(ours), ctypes.byref(real), _Methods.shm_map.offset)
        write = _Write(real.write)

        def failing_write(file: int, content: int, length: int, offset: int) -> int:
            if not self._is_due("sqlite write"):
                return int(write(file, content, length, offset))
            write(file, content, length // 2, offset)
            self._die()
            return _FULL if self.fault is Fault.FULL else _IOERR_WRITE

        ours.write = self._pointer(_Write, failing_write)
        ours.truncate = self._pointer(
            _Truncate, self._failing("sqlite truncate", _Truncate(real.truncate), _IOERR_TRUNCATE)
        )
        ours.sync = self._pointer(_Sync, self._failing("sqlite sync", _Sync(real.sync), _IOERR_FSYNC))
        if real.version >= 2 and real.shm_map:
            ours.shm_map = self._pointer(_ShmMap, self._failing("sqlite map", _ShmMap(real.shm_map), _IOERR_SHMSIZE))
        return ours

    def _failing(self, name: str, call: Callable[..., int], code: int) -> Callable[..., int]:
        def failing(*args: int) -> int:
            if self._is_due(name):
                self._die()
                return code
            return int(call(*args))

        return failing
