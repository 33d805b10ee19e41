"""Our own linear and quadratic programs: many in a row that differ a little, solved warm."""
