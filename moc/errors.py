"""Errors that a user can cause, said so that the user can mend them."""


class UserError(Exception):
    """A refused wish: `code` for machines, `sentence` says what is wrong, `remedy` what to do; nothing was changed."""

    code = "REFUSED"

    def __init__(self, sentence: str, remedy: str = "", code: str = ""):
        self.sentence, self.remedy, self.code = sentence, remedy, code or self.code
        super().__init__(f"{sentence} {remedy}".strip())


class Conflict(UserError):
    """Somebody else was faster, or the record is no longer in the status that the wish assumed."""

    code = "CONFLICT"
