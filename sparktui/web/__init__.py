"""The app in a browser: on loopback, behind a token."""
