"""Shapes of the pages of machine clients."""

from django import forms

from moc.access.models import Membership, Organization
from moc.access.roles import PERMISSIONS, ROLES

KEYS = "A JWK Set, a JWK, or a key in PEM: RSA (RS256), EC P-256 (ES256) or Ed25519 (EdDSA). Never a private key."


class ClientForm(forms.Form):
    """A new client: what it is, its role, and to what it is narrowed."""

    name = forms.CharField(label="Name", max_length=80, help_text="Such as the program that will use it.")
    role = forms.ChoiceField(label="Role")
    scopes = forms.MultipleChoiceField(
        label="Scopes", widget=forms.CheckboxSelectMultiple, help_text="What it may do; nothing that the role does not give."
    )
    public_key = forms.CharField(
        label="Public key",
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=f"{KEYS} Empty: a secret is made.",
    )

    def __init__(self, *args, organization: Organization, **kwargs):
        super().__init__(*args, **kwargs)
        roles = ROLES[organization.kind]
        self.fields["role"].choices = [(role, Membership.Role(role).label) for role in roles]
        given = set().union(*roles.values())
        self.fields["scopes"].choices = [(name, f"{name}: {words}") for name, words in PERMISSIONS.items() if name in given]


class KeyForm(forms.Form):
    """Another public key of a client."""

    public_key = forms.CharField(label="Public key", widget=forms.Textarea(attrs={"rows": 8}), help_text=KEYS)


class EndForm(forms.Form):
    """Why a client ends."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="It becomes part of the record's history.")
