"""Adapters that are loaded when lists ask for them."""

import os
from typing import Any, Dict, List, Optional

from . import _rescorer
from ._arguments import PathLike
from ._second_pass import Rescorer


class AdapterPool:
    """Adapters for one rescorer, hundreds of them perhaps: registered by name and folder, read when a list asks for them, and
    dropped when others need their memory, the least recently used first.

    Give it to :meth:`Rescorer.rescore`, :meth:`Rescorer.rescore_many` or :meth:`Rescorer.map_batch` as ``pool``. The field ``adapter``
    of a list then names one of its adapters. An adapter's own ``policy.toml`` decides for its lists, else the policy of the rescorer
    does. All threads may use a pool at once, and a list in work keeps its adapter, whatever becomes of it here.
    """

    __slots__ = ("_pool",)

    def __init__(self, rescorer: Rescorer, *, max_bytes: int = 512 << 20, loaders: int = 2) -> None:
        """An empty pool.

        Args:
            rescorer: whose lists it is for.
            max_bytes: bytes that loaded adapters may take together.
            loaders: adapters that are read at the same time.

        Raises:
            SettingsError: a number below 1.
        """
        if not isinstance(rescorer, Rescorer):
            raise TypeError("AdapterPool(rescorer): give a Rescorer")
        self._pool = _rescorer.Pool(rescorer._engine, max_bytes, loaders)

    def register(self, name: str, folder: PathLike) -> Dict[str, Any]:
        """Registers a folder under a name, in the place of what had that name, and gives what is known of it, as :meth:`adapter`. Only
        its settings are read.

        Raises:
            AdapterError: a folder without an adapter, settings that can't be read, more bytes than the pool may take.
        """
        return self._pool.register(name, os.fspath(folder))

    def remove(self, name: str) -> bool:
        """Forgets an adapter; False where there was none of that name."""
        return self._pool.remove(name)

    def pin(self, name: str, is_pinned: bool = True) -> bool:
        """Keeps an adapter in memory once it is loaded, or lets it go again; False where there is none of that name."""
        return self._pool.pin(name, is_pinned)

    def load(self, name: str) -> None:
        """Loads an adapter before the first list asks for it.

        Raises:
            AdapterError: a name that is not registered, files that can't be read or are not for the model.
        """
        self._pool.load(name)

    def adapter(self, name: str) -> Optional[Dict[str, Any]]:
        """What is known of an adapter: ``name``, ``rank`` (most ranks of a layer), ``bytes``, ``fingerprint`` and ``policy`` (None before
        it was loaded), ``resident`` (whether it is in memory), ``pinned``, and ``error``, why it could not be loaded. None where
        there is none of that name."""
        return self._pool.adapter(name)

    def adapters(self) -> List[Dict[str, Any]]:
        """What is known of all adapters, by name."""
        return self._pool.all()

    def stats(self) -> Dict[str, int]:
        """Counts: ``registered`` and ``resident`` adapters, ``resident_bytes``, ``loads``, ``failures`` and ``evictions`` so far."""
        return self._pool.stats()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._pool.adapter(name) is not None

    def __len__(self) -> int:
        return self._pool.stats()["registered"]

    def __repr__(self) -> str:
        counts = self._pool.stats()
        return f"<AdapterPool of {counts['registered']}, {counts['resident']} loaded>"
