"""Stayput: uploads that stay put."""

__version__ = "0.1.0"
