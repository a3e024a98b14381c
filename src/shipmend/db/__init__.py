"""What every app needs of the database: ids, the one way to write, prepared statements."""
