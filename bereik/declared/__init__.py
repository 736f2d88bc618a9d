"""What `schemas/` declares, as values: a module for each kind of file there. `of` makes one of its row in the bundle's document."""
