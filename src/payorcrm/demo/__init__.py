"""The invented business that a demo starts with, and the mailbox for its mails. Nothing here runs in production."""
