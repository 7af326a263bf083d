"""Markdown of operators as safe HTML: agreements, pages. Nothing that could run or load leaves this module."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {"p", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "hr", "code"}
_READER = MarkdownIt("commonmark", {"html": False}).disable("image")


def render_markdown(text: str) -> Markup:
    """Return Markdown as HTML of headings, paragraphs, lists and links; everything else is left out or escaped."""
    html = _READER.render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return Markup(  # noqa: S704  # cleaned by nh3 to the tags above
        nh3.clean(html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto", "tel"})
    )
