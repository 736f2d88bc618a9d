"""Debian's Chromium without a window, driven over its debugging pipe: no driver, no library, no port.

Chromium reads commands from file descriptor 3 and answers on 4, as JSON messages that end with a NUL.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

# A page of the board takes well under a second; a loaded CI machine may need many.
_PATIENCE = 60.0


def find() -> str | None:
    """Where Chromium is; None when it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab of a Chromium of its own."""

    def __init__(self, program: str, width: int = 1280, height: int = 860, scripts: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bereik-chromium-", ignore_cleanup_errors=True)
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # Well away from 3 and 4, so that neither is overwritten before it is copied.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_read, to_write)]

        def connect() -> None:
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}", "about:blank"],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        for end in (to_read, to_write, *high):
            os.close(end)
        self._number, self._buffer = 0, b""
        self.complaints: list[str] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self.size(width, height)
        if not scripts:
            self._call("Emulation.setScriptExecutionDisabled", {"value": True})

    def size(self, width: int, height: int) -> None:
        """Make the window this large."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def open(self, address: str) -> None:
        """Go to an address and wait until it is there."""
        self._loading(lambda: self._call("Page.navigate", {"url": address}))

    def forget(self) -> None:
        """Throw all cookies away."""
        self._call("Network.clearBrowserCookies")

    def look(self, expression: str) -> Any:
        """The value of a JavaScript expression; it looks, also where the page itself may run no script."""
        found = self._call("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def fill(self, selector: str, words: str) -> None:
        """Type into a field."""
        self.look(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(words)}; 1")

    def click(self, selector: str) -> None:
        """Click with the mouse, in the middle of what it finds, and wait for the page it leads to."""
        find = f"document.querySelector({json.dumps(selector)})"
        x, y = self.look(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getClientRects()[0];"
            f" return [b.x + b.width / 2, b.y + b.height / 2]; }})({find})"
        )
        mouse = {"x": x, "y": y, "button": "left", "clickCount": 1}

        def press() -> None:
            for kind in ("mousePressed", "mouseReleased"):
                self._call("Input.dispatchMouseEvent", {"type": kind, **mouse})

        self._loading(press)

    def wait(self) -> None:
        """Wait for the page that this one leads to by itself."""
        self._loading(lambda: None)

    def text(self) -> str:
        """The words on the page."""
        return str(self.look("document.body.innerText"))

    def screenshot(self, path: Path) -> None:
        """Keep a picture of what the window shows."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", {"format": "png"})["data"]))

    def close(self) -> None:
        """End this Chromium."""
        try:
            self._call("Browser.close", session=False)
        except (OSError, TimeoutError):
            self._process.kill()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for end in (self._read, self._write):
            os.close(end)
        self._folder.cleanup()

    # ------------------------------------------------------------ the pipe

    def _call(
        self, method: str, params: dict[str, Any] | None = None, session: bool = True
    ) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if session and hasattr(self, "_session"):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._until(lambda got: got.get("id") == message["id"])

    def _loading(self, act: Any) -> None:
        self._loaded = False
        act()
        if not self._loaded:
            self._until(lambda _: self._loaded)

    def _until(self, wanted: Any) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            while b"\0" in self._buffer:
                line, self._buffer = self._buffer.split(b"\0", 1)
                got: dict[str, Any] = json.loads(line)
                self._notice(got)
                if wanted(got):
                    if "error" in got:
                        raise OSError(got["error"]["message"])
                    return dict(got.get("result", {}))
            if select.select([self._read], [], [], 0.5)[0]:
                part = os.read(self._read, 1 << 16)
                if not part:
                    raise OSError("Chromium has gone")
                self._buffer += part
        raise TimeoutError("Chromium did not answer")

    def _notice(self, got: dict[str, Any]) -> None:
        if got.get("method") == "Page.loadEventFired":
            self._loaded = True
        elif got.get("method") == "Log.entryAdded":
            self.complaints.append(got["params"]["entry"]["text"])
        elif got.get("method") == "Network.requestWillBeSent":
            self.requested = {*getattr(self, "requested", ()), got["params"]["request"]["url"]}
