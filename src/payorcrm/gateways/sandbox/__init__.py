"""The sandbox: a processor of our own behind a real network protocol, and the adapter to it."""
