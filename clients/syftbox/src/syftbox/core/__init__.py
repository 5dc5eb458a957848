"""What the documented programs import from here: `syftbox.core.exceptions`."""
