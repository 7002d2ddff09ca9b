"""Texts with placeholders from a closed list: checked when they are saved, filled as plain text. There is no template language."""

import re
from collections.abc import Iterable, Mapping

BRACES = re.compile(r"\{([^{}]*)\}")


def problems(text: str, allowed: Iterable[str]) -> list[str]:
    """What is wrong with a text's placeholders, in sentences; nothing for a good text."""
    known = set(allowed)
    strange = [f"There is no placeholder {{{name}}}." for name in dict.fromkeys(BRACES.findall(text)) if name not in known]
    alone = ["A brace stands alone: a placeholder is a name between { and }."] if re.search(r"[{}]", BRACES.sub("", text)) else []
    return strange + alone


def fill(text: str, values: Mapping[str, object]) -> str:
    """The text with its placeholders replaced, once: what a value holds is never looked at again. Whoever shows it escapes it."""
    return BRACES.sub(lambda found: str(values.get(found[1], found[0])), text)
