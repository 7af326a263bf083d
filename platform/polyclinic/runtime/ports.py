"""Find free ports, and say who has one that is taken."""

import socket

from polyclinic.runtime.trouble import Trouble


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_free(port: int, bind: str = "127.0.0.1") -> None:
    """Raise Trouble when we cannot listen on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
            probe.listen(1)
        except PermissionError as error:
            raise Trouble(
                f"Port {port} may only be used by root. Choose one above 1023, for example with PORT=8000."
            ) from error
        except OSError as error:
            raise Trouble(
                f"Port {port} is taken by another program. Stop it or choose another, for example with PORT={port + 1}."
            ) from error
