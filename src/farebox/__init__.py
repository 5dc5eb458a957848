"""Farebox: a self-hosted fare box for AI services."""

__version__ = "0.1.0"
