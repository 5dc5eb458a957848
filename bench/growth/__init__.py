"""Growth: the same charge and the same reads on ledgers of very different sizes, side by side."""
