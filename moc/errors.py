"""Errors that a user can cause, said so that the user can mend them."""


class UserError(Exception):
    """A refused wish: `code` for machines, `sentence` says what is wrong, `remedy` what to do; nothing was changed.

    `fields` are those of the wish that are at fault: programs read their names before the sentence, a form says it at the first of them.
    """

    code = "REFUSED"

    def __init__(self, sentence: str, remedy: str = "", code: str = "", fields: tuple[str, ...] = ()):
        self.fields, self.at_field = fields, f"{sentence[:1].upper()}{sentence[1:]} {remedy}".strip()
        self.sentence = f"{', '.join(fields)}: {sentence}" if fields else sentence
        self.remedy, self.code = remedy, code or self.code
        super().__init__(f"{self.sentence} {remedy}".strip())


class Conflict(UserError):
    """Somebody else was faster, or the record is no longer in the status that the wish assumed."""

    code = "CONFLICT"
