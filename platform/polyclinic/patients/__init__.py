"""The specialist's patients over all portals."""
