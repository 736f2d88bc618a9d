"""Serve the board. Run: python -m bereik.web"""

import uvicorn

from bereik.app import App, plainly
from bereik.store import LoginRefused, StoreUnavailable
from bereik.web import create_app


def main() -> None:
    """Serve until stopped. No access log: a case id and a user's hours are in it, and the audit has both."""
    with plainly("web"):
        app = App.from_env()
        try:
            app.store.check_schema()
        except LoginRefused:
            raise
        except StoreUnavailable:
            # It serves all the same, and answers 503 until the database is back.
            pass
        # It is there for this process, whatever else is set.
        assert app.settings.entrance is not None
        board = create_app(
            app.store, app.bundle, app.web_secret(), app.settings.entrance, keyring=app.keyring
        )
    uvicorn.run(
        board,
        host=app.settings.web_host,
        port=app.settings.web_port,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
