"""Payment model `free`: Visits that cost nothing."""
