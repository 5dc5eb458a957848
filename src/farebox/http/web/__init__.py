"""Pages for people: the wallet and the console. Server-rendered; scripts only make them livelier."""
