"""A campaign as a file: tables, plots, a report, and llama-benchy's own shapes; one module a format."""
