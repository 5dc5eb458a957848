"""The wallet: what a person holds, whom it is connected to, and what became of it."""
