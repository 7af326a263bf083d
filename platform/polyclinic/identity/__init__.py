"""Patients, specialists and operators as people who sign in: accounts, passwords, mail codes, sign-ins, API tokens."""
