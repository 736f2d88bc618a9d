"""The board: what a team sees of its own cases, and the page that shows who may meet whom."""

from bereik.web.pages import create_app

__all__ = ["create_app"]
