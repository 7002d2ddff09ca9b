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


class RejectForm(forms.Form):
    """Why somebody does not become administrator."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="It becomes part of the record's history.")


class EndForm(forms.Form):
    """Why a membership ends."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="It becomes part of the record's history.")


class PasswordForm(forms.Form):
    """A password for a new account, twice."""

    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Several words are easier to remember than signs.",
    )
    again = forms.CharField(label="Password, again", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def __init__(self, *args, user: User, **kwargs):
        """`user` is the account to be, not saved: the password may not resemble it."""
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


class AcceptForm(PasswordForm):
    """The invited person's name and password."""

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ("name", "password", "again")


class SignUpForm(forms.Form):
    """Who asks to take part. `website` is seen by programs only, which fill it in."""

    organization = forms.CharField(
        label="Name of the organisation", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    legal_name = forms.CharField(label="Legal name", max_length=200)
    rerra = forms.ModelChoiceField(
        None, label="Regulator", empty_label=None, help_text="The authority that admits you. One account serves all markets."
    )
    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label="Your e-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    terms = forms.BooleanField(
        label="I accept the terms of participation", error_messages={"required": "Without the terms nobody takes part."}
    )
    website = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, regulators, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rerra"].queryset = regulators

    def clean_organization(self) -> str:
        """Whether a name is taken is told to whoever proves an address, not to a stranger."""
        return " ".join(self.cleaned_data["organization"].split())


class AddressForm(forms.Form):
    """Whose organisation's sign-in is looked for."""

    email = forms.EmailField(label="Your e-mail address at work", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class ProviderForm(forms.Form):
    """An organisation's OpenID Connect provider."""

    issuer = forms.URLField(
        label="Issuer",
        max_length=300,
        assume_scheme="https",
        help_text="Such as https://login.example.com, exactly as the provider names itself.",
    )
    client_id = forms.CharField(label="Client id", max_length=200)
    secret = forms.CharField(
        label="Client secret",
        max_length=500,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted, and never shown. Leave it empty to keep the present one.",
    )
    role_claim = forms.CharField(label="Claim with the roles", max_length=80, initial="roles")
    roles = forms.CharField(
        label="Roles by the claim's values",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One line each: value = role. Nobody becomes administrator by a claim.",
    )
    is_active = forms.BooleanField(label="Members may sign in with it", required=False, initial=True)

    def __init__(self, *args, organization: Organization, **kwargs):
        super().__init__(*args, **kwargs)
        self.allowed = [role for role in ROLES[organization.kind] if role != Membership.Role.ADMINISTRATOR]
        self.fields["roles"].help_text += f" Roles: {', '.join(self.allowed)}."

    def clean_roles(self) -> dict[str, str]:
        """Lines "value = role" as a mapping."""
        found = {}
        for number, line in enumerate(filter(None, map(str.strip, self.cleaned_data["roles"].splitlines())), 1):
            value, equals, role = (part.strip() for part in line.rpartition("="))
            if not equals or not value or role not in self.allowed:
                raise forms.ValidationError(f"Line {number} is not of the form: value = role.", code="ROLE_LINE")
            found[value] = role
        return found


class DomainForm(forms.Form):
    """An e-mail domain of the organisation."""

    domain = forms.CharField(label="E-mail domain", max_length=253, help_text="Such as example.com.")


class TokenForm(forms.Form):
    """What a token is for."""

    name = forms.CharField(label="Name of the token", max_length=80, help_text="Such as the program that will use it.")
