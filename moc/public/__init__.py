"""Public pages without sign-in: the state in figures that name nobody, who takes part, the law in force, open data. N7."""
