"""What processes without a web server write to their log: their own sentences, no addresses that name payments."""

import subprocess
import sys

SAYS = """
import logging
from polyclinic.cli._logging import log_to_stderr

log_to_stderr()
from stripe._util import log_info

log_info("Request to Stripe api", url="/v1/checkout/sessions/cs_test_secret")
logging.getLogger("stripe").warning("It does not answer.")
logging.getLogger("polyclinic.web.jobs").info("Done.")
"""


def test_requests_of_the_payment_provider_are_not_logged_but_its_troubles_are() -> None:
    answer = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stderr.splitlines() == ["WARNING stripe: It does not answer.", "INFO polyclinic.web.jobs: Done."]
