"""Patients, specialists and operators as people who sign in: accounts, passwords, mail codes, server-side sign-ins, API tokens."""
