"""PayorCRM: invoices get paid from the inbox."""

__version__ = "0.1.0"
