"""Design tokens: what a theme and a portal may choose, checked, repaired for contrast and written as CSS (L1).

Pure: values in, values or problems out; knows neither Flask nor a database. ``definitions`` lists the tokens,
``layers`` checks and stacks what themes and portals set, ``repair`` lifts contrast to WCAG AA, ``css`` writes custom
properties.
"""

from polyclinic.web.tokens.css import stylesheet
from polyclinic.web.tokens.definitions import COLOURS, DEFINITIONS, SCHEMES
from polyclinic.web.tokens.layers import Layer, Problem, TokenSet, find_problems, parse_layer, resolve
from polyclinic.web.tokens.repair import PAIRS, Repair, repair_contrast

__all__ = [
    "COLOURS",
    "DEFINITIONS",
    "PAIRS",
    "SCHEMES",
    "Layer",
    "Problem",
    "Repair",
    "TokenSet",
    "find_problems",
    "parse_layer",
    "repair_contrast",
    "resolve",
    "stylesheet",
]
