"""Serve the board. Run: python -m bereik.web"""

import uvicorn

from bereik.app import App
from bereik.web import create_app


def main() -> None:
    """Serve until stopped. No access log: a case id and a user's hours are in it, and the audit has both."""
    app = App.from_env()
    uvicorn.run(
        create_app(app.store, app.bundle, app.web_secret()),
        host=app.settings.web_host,
        port=app.settings.web_port,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
