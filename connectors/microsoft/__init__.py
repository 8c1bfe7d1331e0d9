"""How an application signs in at Microsoft's authority; no connector, but what the connectors of its clouds share."""
