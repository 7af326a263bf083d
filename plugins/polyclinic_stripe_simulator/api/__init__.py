"""The HTTP interface that the SDK speaks to."""
