"""Farebox's own API, under `/v1`."""
