"""Tell the teams. Run: python -m consumers.outreach"""

from bereik.app import App

if __name__ == "__main__":
    App.from_env().run("outreach")
