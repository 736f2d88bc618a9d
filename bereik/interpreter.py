"""The interpreter, set for work that goes through many records."""

from __future__ import annotations

import gc
import sys

# By default a thread waits up to 5 ms for another that calculates, each time the database answered it; a batch asks some 30 times.
_SWITCH_SECONDS = 0.0005


def steady() -> None:
    """Set this process for a steady stream of records: collect circles seldom, and change threads soon.

    Rows and events are trees without circles, so counting references frees them; with the default thresholds the
    collector for circles doubled the time of reading assignments and writing receipts, walking caches.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    sys.setswitchinterval(_SWITCH_SECONDS)
