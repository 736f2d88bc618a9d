"""Fold assignments into cases and route them. Run: python -m consumers.casework"""

from bereik.app import App

if __name__ == "__main__":
    App.from_env().run("casework")
