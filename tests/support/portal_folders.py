"""A portal's folder for tests: small, complete, with comments that must survive."""

from pathlib import Path

TOML = """# Delta: a portal made by a file.
[portal]
domains = ["delta.localhost", "delta.example"] # the first is canonical

[brand]
name = "Delta" # as on the door
tagline = { de = "Ruhig", en = "Calm" }
sender = "hello@delta.example"

[brand.tokens]
radius = "6px"
# the colour of the door
[brand.tokens.light]
accent = "#14624a" # dark green

[language]
locales = ["de", "en"]
time_zone = "Europe/Berlin"

[money]
currency = "EUR"

[pricing]
policy = "own"

[booking]
hold = "15 min" # people are slow

# what can be booked
[[services]]
slug = "first-visit"
name = { de = "Erster Termin", en = "First visit" }
duration = "50 min"
price = "80.00"
buffer_after = "10 min"

[[services]]
slug = "check-in" # the short one
name = { de = "Kurz", en = "Short" }
summary = { de = "Ein kurzes Gespräch", en = "A short talk" }
duration = "25 min"

[[agreements]]
slug = "terms"
gate = "registration"
version = 1
text = { de = "texts/terms.de.md", en = "texts/terms.en.md" }

[[listings]]
specialist = "sam@specialists.example"
capacity = 12
services = ["first-visit"]

[[listings]]
specialist = "ada@specialists.example" # since 2026
team = "north"
services = [{ slug = "check-in", price = "42.50", buffer_after = "15 min" }, "first-visit"]
"""


def make_folder(below: Path, slug: str = "delta", toml: str = TOML) -> Path:
    """Write the folder of a portal and return it."""
    folder = below / slug
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    (folder / "portal.toml").write_text(toml, encoding="utf-8")
    (folder / "texts" / "terms.de.md").write_text("# Bedingungen\n\nSeien Sie nett.\n", encoding="utf-8")
    (folder / "texts" / "terms.en.md").write_text("# Terms\n\nBe kind.\n\n* Always.\n", encoding="utf-8")
    return folder


def change(folder: Path, old: str, new: str) -> None:
    """Replace a text that stands once in the folder's file."""
    file = folder / "portal.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")
