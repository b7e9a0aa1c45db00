"""Businesses that sign themselves up: what they ask for, the mail that proves their address, and opening it."""
