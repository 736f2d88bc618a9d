"""Fold assignments into cases and route them. Run: python -m consumers.casework"""

from bereik.app import serve

if __name__ == "__main__":
    serve("casework")
