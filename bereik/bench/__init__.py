"""Measuring: real parts, a state that is verified, figures that can be compared."""
