"""unleak says where Python code leaks; this package only holds its program."""
