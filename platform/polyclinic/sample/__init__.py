"""The sample network of demonstrations: portals from their files, invented people, months of history.

Everything is made by the features' services, as if people had done it, at the times at which they would have done it:
the application's clock is moved by the database's owner, which is only possible outside production (R3).
"""
