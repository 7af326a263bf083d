"""Markdown of operators as safe HTML: agreements, pages. Nothing that could run or load leaves this module."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from polyclinic.kernel.later import Later

if TYPE_CHECKING:
    import markdown_it
    import nh3
else:  # 0.1 s and 3 MB for whoever shows no agreement
    markdown_it, nh3 = Later("markdown_it"), Later("nh3")

_TAGS = {"p", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "hr", "code"}
_HEADING = re.compile(r"^(?P<marks>#{1,2})[ \t]+(?P<text>\S.*?)[ \t#]*$")


@functools.cache
def _reader() -> markdown_it.MarkdownIt:
    return markdown_it.MarkdownIt("commonmark", {"html": False}).disable("image")


def render_markdown(text: str) -> Markup:
    """Return Markdown as HTML of headings, paragraphs, lists and links; everything else is left out or escaped."""
    html = _reader().render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return Markup(  # noqa: S704  # cleaned by nh3 to the tags above
        nh3.clean(html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto", "tel"})
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer in Markdown, below the heading of its group where there are groups."""

    question: str
    answer: str
    group: str = ""


def questions_of(body: str) -> tuple[str, list[Question]]:
    """Return what stands before the first question, and the questions: “## Question”, in groups by “# Group”."""
    introduction: list[str] = []
    found: list[tuple[str, str, list[str]]] = []
    group = ""
    for line in body.split("\n"):
        heading = _HEADING.match(line)
        if heading is None:
            (found[-1][2] if found else introduction).append(line)
        elif heading["marks"] == "#":
            group = heading["text"]
        else:
            found.append((heading["text"], group, []))
    questions = [Question(text, "\n".join(lines).strip(), where) for text, where, lines in found]
    return "\n".join(introduction).strip(), questions
