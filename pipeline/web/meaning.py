"""Vectors of what visitors search for. The model is loaded once, in the background, when the desk starts; until it is
there, or where there is none, search goes by words alone and says so.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import structlog

from pipeline.settings import EmbedSettings

if TYPE_CHECKING:
    from pipeline.adapters.encoder import Encoder

log = structlog.get_logger()

WAIT = 5.0  # seconds that a search waits for a model that is being loaded
RETRY = 60.0  # seconds after which a model that could not be loaded is tried again
REMEMBERED = 512  # texts whose vectors are kept: pages of one search, and the same search under other filters

LOADING = "The embedding model is being loaded; search again in a few seconds to find by meaning too."
ABSENT = "The embedding model can't be loaded here; the desk's log says why."
NO_VECTORS = "The archive has no vectors yet."
OTHER = "The archive's vectors are of the model {}, and this desk has another one."


class Meaning:
    """One encoder, used by one request at a time."""

    def __init__(self, settings: EmbedSettings, wait: float = WAIT) -> None:
        self._settings, self._wait = settings, wait
        self._encoder: Encoder | None = None
        self._loaded = threading.Event()  # or failed
        self._failed_at: float | None = None
        self._loading: threading.Thread | None = None
        self._starting, self._using = threading.Lock(), threading.Lock()
        self._known: OrderedDict[str, Any] = OrderedDict()

    def warm(self) -> None:
        """Begin to load the model, if nobody has yet."""
        with self._starting:
            again = self._failed_at is not None and time.monotonic() - self._failed_at > RETRY
            if self._loading is not None and not again:
                return
            self._failed_at = None
            self._loaded.clear()
            self._loading = threading.Thread(target=self._load, name="encoder", daemon=True)
            self._loading.start()

    def vector(self, text: str, active: Any) -> tuple[Any, str | None]:
        """The text's vector in half precision, or None and the reason. `active` is the archive's model, if any."""
        if active is None:
            return None, NO_VECTORS
        self.warm()
        if not self._loaded.wait(self._wait):
            return None, LOADING
        encoder = self._encoder
        if encoder is None:
            return None, ABSENT
        if encoder.weights_hash != active.weights_hash:
            return None, OTHER.format(active.model)
        with self._using:
            if text not in self._known:
                from pipeline.stages.embed import half

                self._known[text] = half(encoder.encode([text])[0])
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(text)
            return self._known[text], None

    def _load(self) -> None:
        try:
            from pipeline.adapters.encoder import Encoder

            encoder = Encoder(self._settings)
            encoder.encode(["ready"])
            self._encoder = encoder
        except Exception as error:  # whatever is wrong with the model, the desk goes on
            self._failed_at = time.monotonic()
            log.warning("no embedding model", error=str(error))
        finally:
            self._loaded.set()
