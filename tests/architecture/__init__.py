"""The shape of the code: the rooms and their imports, names of modules, and the wheel."""
