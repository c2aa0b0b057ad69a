"""The flight recorder: what the store knows of the nodes' last minutes before something went wrong."""
