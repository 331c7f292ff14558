"""HTML as text that is escaped unless it was made here."""

from __future__ import annotations

_DANGEROUS = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#39;",
        # No page can hold them, whatever a device may have said of itself.
        **{chr(code): "\ufffd" for code in (*range(9), 11, 12, *range(14, 32), *range(127, 160))},
    }
)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(content: str) -> Html:
    """``content``, escaped unless it is HTML already."""
    return content if isinstance(content, Html) else Html(content.translate(_DANGEROUS))


def joined(*parts: str) -> Html:
    """One after the other, each escaped unless it is HTML already."""
    return Html("".join(html(part) for part in parts))


def tag(name: str, *content: str, **attributes: str | float | None) -> Html:
    """An element with its content.

    Args:
        name: of the element.
        content: escaped unless it is HTML already.
        attributes: ``_`` in a name stands for ``-`` and is dropped at its end (``class_``); None is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>{joined(*content)}</{name}>")
