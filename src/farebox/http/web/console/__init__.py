"""The console: where an operator runs the place. What a key may do here is what it may do over the API."""
