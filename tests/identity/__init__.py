"""Tests of coming in; a package, so that its conftest has a name of its own."""
