"""What features share of Flask: places, database sessions, API, errors, languages, themes, forms, sockets, jobs."""
