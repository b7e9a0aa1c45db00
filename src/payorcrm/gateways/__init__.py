"""Gateways: what every one of them is, the registry, and a folder for each processor."""
