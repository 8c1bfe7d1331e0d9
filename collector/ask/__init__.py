"""What a person asks of the evidence, the plan and the sources; the command line only words it.

One module a question; each takes an open store or a loaded configuration and returns records, never text.
"""
