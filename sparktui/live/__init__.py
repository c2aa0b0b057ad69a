"""What a race is doing now: figures of the wave in flight, from the store alone."""
