"""`python -m polyclinic`: the `polyclinic` command, wherever the environment was moved to."""

from polyclinic.cli import main

if __name__ == "__main__":
    main()
