"""Send the outbox to Kafka. Run: python -m consumers.relay"""

from bereik.app import serve

if __name__ == "__main__":
    serve("relay")
