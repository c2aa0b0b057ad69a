"""What is raced: YAML to a frozen `Profile`, found by name or path, with every problem told at once."""
