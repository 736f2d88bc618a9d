"""Send the outbox to Kafka. Run: python -m consumers.relay"""

from bereik.app import App

if __name__ == "__main__":
    App.from_env().run("relay")
