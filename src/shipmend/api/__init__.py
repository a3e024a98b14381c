"""The public API: what the contract says, and the reads and repairs beside it."""
