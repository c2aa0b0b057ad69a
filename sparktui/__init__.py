"""Race the ways to serve one model on DGX Sparks, and say which one wins from how many users on."""

__version__ = "0.1.0"
