"""Shapes of the account pages' forms."""

from django import forms
from django.contrib.auth import password_validation

from moc.access.models import Membership, Organization, User
from moc.access.roles import PERMISSIONS, ROLES, permissions_of


def _roles_field(organization: Organization) -> forms.MultipleChoiceField:
    choices = [(role, Membership.Role(role).label) for role in ROLES[organization.kind]]
    return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, label="Roles")


def role_facts(organization: Organization) -> list[tuple[str, str]]:
    """(role, what it may) of the organisation's kind, for the page beside the form."""
    return [
        (
            Membership.Role(role).label,
            "; ".join(PERMISSIONS[name] for name in PERMISSIONS if name in permissions_of(organization.kind, role)),
        )
        for role in ROLES[organization.kind]
    ]


class RolesForm(forms.Form):
    """The roles of a member."""

    def __init__(self, *args, organization: Organization, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"] = _roles_field(organization)


class InviteForm(RolesForm):
    """Whom to invite."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    name = forms.CharField(label="Name", max_length=120)

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class EndForm(forms.Form):
    """Why a membership ends."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="It becomes part of the record's history.")


class AcceptForm(forms.Form):
    """The invited person's name and password."""

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Several words are easier to remember than signs.",
    )
    again = forms.CharField(label="Password, again", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict:
        given = super().clean()
        password = given.get("password")
        if password and given.get("again") and password != given["again"]:
            self.add_error("again", "The two passwords differ.")
        if password:
            try:
                password_validation.validate_password(password, self.user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return given


class TokenForm(forms.Form):
    """What a token is for."""

    name = forms.CharField(label="Name of the token", max_length=80, help_text="Such as the program that will use it.")
