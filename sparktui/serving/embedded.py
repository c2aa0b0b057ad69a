"""What the embedded engine answers to whoever asks: by it it is known, at whatever address it is reached."""

OWNER = "sparktui (SIMULATED)"
"""Who owns its model, in `/v1/models`."""
METRIC = "sparktui:simulated"
"""What stands on its `/metrics` page beside vLLM's names."""
