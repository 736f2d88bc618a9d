"""Bereik: partners publish signals, Bereik decides what each may mean and which team must reach out."""

__version__ = "0.1.0"
