"""Tell the teams. Run: python -m consumers.outreach"""

from bereik.app import serve

if __name__ == "__main__":
    serve("outreach")
