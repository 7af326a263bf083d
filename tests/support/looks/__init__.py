"""``make looks``: every page in every theme, width, mode and language, as contact sheets and as a list of findings.

``python -m support.looks`` shoots the sample network (docs/looks.md).
"""
