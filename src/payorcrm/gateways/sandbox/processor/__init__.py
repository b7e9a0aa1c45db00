"""The sandbox processor: an ASGI application of its own, with its own tables. It knows neither Django nor PayorCRM."""
