"""`sparktui watch`: engines that somebody else drives, by what they say of themselves; nothing of it is stored."""
