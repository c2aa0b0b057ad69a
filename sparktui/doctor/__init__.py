"""`sparktui check`: what an owner would otherwise find out one failed launch at a time. Looks, and changes nothing."""
