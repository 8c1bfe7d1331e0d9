"""What plays the outside world in tests, written from vendors' own API descriptions."""
