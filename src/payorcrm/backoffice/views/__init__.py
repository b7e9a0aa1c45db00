"""Views, a file a noun."""
