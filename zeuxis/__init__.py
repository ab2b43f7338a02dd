"""Zeuxis: learn from folders of pictures, adversarially."""

__version__ = "0.1.0"
