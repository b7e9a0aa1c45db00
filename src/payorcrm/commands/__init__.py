"""The command line: one file a command. Translates words into one call, and the answer into lines and an exit code."""
