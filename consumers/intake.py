"""Land, check, admit and identify what partners send. Run: python -m consumers.intake"""

from bereik.app import App

if __name__ == "__main__":
    App.from_env().run("intake")
