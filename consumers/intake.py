"""Land, check, admit and identify what partners send. Run: python -m consumers.intake"""

from bereik.app import serve

if __name__ == "__main__":
    serve("intake")
