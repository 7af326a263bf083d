"""What processes without a web server of their own write to their log."""

import logging

#: Libraries that tell each request they make, with addresses that name payments.
TALKATIVE = ("stripe", "urllib3")


def log_to_stderr() -> None:
    """Log from INFO on; of libraries that tell every request only warnings."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
