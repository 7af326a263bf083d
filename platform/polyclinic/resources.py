"""Find the data folders that ship with the product: themes, tenants, translations, migrations."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_SHARE = PACKAGE / "_share"


def checkout() -> Path | None:
    """The root of the checkout this package runs from; None in a wheel."""
    root = PACKAGE.parent.parent
    return root if (root / "pyproject.toml").is_file() and (root / "platform" / "polyclinic") == PACKAGE else None


def shipped(name: str) -> Path:
    """The data folder `name`, wherever it lies: beside the code in a checkout, below `_share` in a wheel.

    Raises FileNotFoundError naming both places.
    """
    root = checkout()
    places = [_SHARE / name, *([root / name] if root else [])]
    for place in places:
        if place.exists():
            return place
    looked = " and ".join(str(place) for place in places)
    raise FileNotFoundError(f"The folder '{name}' that ships with Polyclinic is missing; looked at {looked}.")
