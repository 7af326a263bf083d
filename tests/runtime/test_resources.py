"""Data folders are found in a checkout; a missing one names where it was sought."""

import pytest

from polyclinic.resources import checkout, shipped


def test_shipped_folders_are_found_in_the_checkout() -> None:
    root = checkout()
    assert root is not None
    for name in ("themes", "tenants", "translations", "migrations"):
        assert shipped(name) == root / name


def test_a_missing_folder_says_where_it_was_sought() -> None:
    with pytest.raises(FileNotFoundError, match=r"'nothing' .* missing; looked at .*_share"):
        shipped("nothing")
