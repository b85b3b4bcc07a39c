"""Tables as people read them: boxes on a terminal, HTML in a notebook."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence

__all__ = ["ROWS_SHOWN", "as_box", "as_html"]

#: Rows of a result that are shown.
ROWS_SHOWN = 20
#: Characters of a value that are shown.
VALUE_WIDTH = 40
#: Characters of a line; columns in the middle are left out of wider tables.
TABLE_WIDTH = 160
#: Types whose values stand to the right.
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "HALF", "FLOAT", "DOUBLE")

Texts = Sequence[Sequence["str | None"]]


def _width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    joined = sum(unicodedata.combining(letter) != 0 for letter in text)
    return len(text) + wide - joined


def _shortened(text: str | None) -> str:
    if text is None:
        return "NULL"
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text if len(text) <= VALUE_WIDTH else text[: VALUE_WIDTH - 1] + "…"


def _is_number(type_name: str) -> bool:
    return type_name in _NUMBERS or (type_name.startswith("DECIMAL(") and type_name.endswith(")"))


def _chosen(widths: list[int]) -> tuple[int, int]:
    """How many columns from the left and from the right fit a line."""
    if sum(widths) + 3 * len(widths) + 1 <= TABLE_WIDTH:
        return len(widths), 0
    left, right, used = 0, 0, 5
    while left + right < len(widths):
        take_left = left <= right
        width = widths[left] if take_left else widths[len(widths) - 1 - right]
        if used + width + 3 > TABLE_WIDTH and left + right > 0:
            break
        used += width + 3
        left, right = (left + 1, right) if take_left else (left, right + 1)
    return left, right


def as_box(names: Sequence[str], types: Sequence[str], rows: Texts, footer: str) -> str:
    """A table with a frame: names, types, values; numbers stand to the right."""
    if not names:
        return footer
    cells = [[_shortened(value) for value in row] for row in rows]
    header = [[_shortened(name) for name in names], [_shortened(kind) for kind in types]]
    widths = [max(_width(line[column]) for line in header + cells) for column in range(len(names))]
    left, right = _chosen(widths)
    shown = [*range(left), *range(len(names) - right, len(names))]
    gap = left if left + right < len(names) else None

    def line(values: Sequence[str], align: bool) -> str:
        parts = []
        for position, column in enumerate(shown):
            if position == gap:
                parts.append("…")
            padding = " " * (widths[column] - _width(values[column]))
            number = align and _is_number(types[column])
            parts.append(padding + values[column] if number else values[column] + padding)
        if gap is not None and gap == len(shown):
            parts.append("…")
        return "│ " + " │ ".join(parts) + " │"

    def rule(start: str, middle: str, end: str) -> str:
        parts = ["─" * (widths[column] + 2) for column in shown]
        if gap is not None:
            parts.insert(gap, "───")
        return start + middle.join(parts) + end

    body = [line(row, True) for row in cells]
    hidden = "" if gap is None else f", {len(names)} columns ({len(shown)} shown)"
    lines = [rule("┌", "┬", "┐"), line(header[0], False), line(header[1], False), rule("├", "┼", "┤")]
    return "\n".join([*lines, *body, rule("└", "┴", "┘"), footer + hidden])


def as_html(names: Sequence[str], types: Sequence[str], rows: Texts, footer: str) -> str:
    """The same as an HTML table."""
    def cell(value: str | None, kind: str) -> str:
        align = "right" if _is_number(kind) else "left"
        text = "<i>NULL</i>" if value is None else html.escape(_shortened(value))
        return f'<td style="text-align:{align}">{text}</td>'

    heads = "".join(
        f'<th style="text-align:left">{html.escape(name)}<br><small>{html.escape(kind)}</small></th>'
        for name, kind in zip(names, types, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(cell(value, kind) for value, kind in zip(row, types, strict=True)) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table><p>{html.escape(footer)}</p>"
