"""Open and end bridges between cases, where there is a ground. Run: python -m consumers.bridge"""

from bereik.app import serve

if __name__ == "__main__":
    serve("bridge")
