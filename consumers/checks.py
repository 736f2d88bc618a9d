"""Ask the registers about the people of a case before anybody goes there. Run: python -m consumers.checks"""

from bereik.app import serve

if __name__ == "__main__":
    serve("checks")
