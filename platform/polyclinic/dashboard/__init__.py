"""What is next and what to do, for specialists, patients and operators."""
