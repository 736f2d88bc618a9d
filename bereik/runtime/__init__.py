"""The embedded stack: a real broker, a real database, the consumers, the board and Airflow, without installing any of them.

stack = Stack(Path(".bereik"))
stack.up(airflow=True)
stack.down()
"""

from __future__ import annotations

from bereik.runtime.ports import Ports, PortTaken
from bereik.runtime.stack import HomeSettings, NotReady, Stack
from bereik.runtime.supervise import ProcessState

__all__ = ["HomeSettings", "NotReady", "PortTaken", "Ports", "ProcessState", "Stack"]
