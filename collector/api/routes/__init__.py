"""The routes, one module a thing that is asked about or recorded."""
