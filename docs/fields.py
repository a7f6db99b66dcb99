"""For the reference: the fields of a struct, also those that need no words, in the order of the source."""

from __future__ import annotations

from typing import Any

import griffe

ATTRIBUTES = griffe.DocstringSectionKind.attributes


class Fields(griffe.Extension):
    """Puts what a class annotates into the section "Attributes" of its docstring."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Called with each class that was read."""
        own = [one for one in cls.members.values() if isinstance(one, griffe.Attribute)]
        fields = [one for one in own if one.annotation and not one.name.startswith("_")]
        if cls.docstring is None or not fields:
            return
        sections = cls.docstring.parse()
        said = [one for part in sections if part.kind is ATTRIBUTES for one in part.value]
        texts = {one.name: one.description for one in said}
        listed = [
            griffe.DocstringAttribute(
                one.name, annotation=one.annotation, description=texts.get(one.name, "")
            )
            for one in fields
        ]
        others = [part for part in sections if part.kind is not ATTRIBUTES]
        cls.docstring.parsed = [*others, griffe.DocstringSectionAttributes(listed)]
