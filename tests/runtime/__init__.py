"""Tests of the runtime: real servers, started and broken here."""
