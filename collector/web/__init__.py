"""The pages: what the command line asks, for people with a browser. Rendered here, and whole without a script."""
