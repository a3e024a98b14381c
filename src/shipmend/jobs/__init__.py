"""Work that outlives a request: one leased table and the loop that serves it."""
