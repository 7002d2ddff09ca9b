"""Pages before signing in: an invitation's link, a new aggregator's sign-up, the way to an organisation's own sign-in."""

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.generic import TemplateView, View

from moc import sight
from moc.access.models import User
from moc.accounts import admissions, forms, invitations, providers
from moc.errors import UserError
from moc.middleware import refuse


class Entrance(View):
    """A form for whoever comes, known or not. Its page is kept by no cache; `perform` answers a valid form, or refuses it."""

    template_name = ""
    title = ""

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        with sight.engine():  # whoever comes is nobody yet; what a page tells is for its link or its form alone
            response = super().dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    def form(self):
        """The form, bound if it was sent; None when there is nothing to fill in."""
        raise NotImplementedError

    def perform(self, given: dict) -> HttpResponse:
        raise NotImplementedError

    def bound(self) -> dict:
        return {"data": self.request.POST} if self.request.method == "POST" else {}

    def context(self) -> dict:
        return {"title": self.title}

    def get(self, request, **kwargs) -> HttpResponse:
        return self.show(self.form())

    def post(self, request, **kwargs) -> HttpResponse:
        form = self.form()
        if form is None or not form.is_valid():
            return self.show(form, 422)
        try:
            return self.perform(form.cleaned_data)
        except UserError as refusal:
            form.add_error(None, str(refusal))
            return self.show(form, 422)

    def show(self, form, status: int = 200) -> HttpResponse:
        return render(self.request, self.template_name, {**self.context(), "form": form}, status=status)


class AcceptInvitation(Entrance):
    """The page behind an invitation's link: open an account, or accept with the one that has the address."""

    template_name = "account/invitation.html"

    def setup(self, request, *args, **kwargs) -> None:
        super().setup(request, *args, **kwargs)
        self.invitation = invitations.invited(kwargs["key"])
        self.account = self.invitation and invitations.account_of(self.invitation)

    def form(self) -> forms.AcceptForm | None:
        if self.invitation is None or self.account is not None:
            return None
        to_be = User(email=self.invitation.email, name=self.invitation.name)
        return forms.AcceptForm(**self.bound(), user=to_be, initial={"name": self.invitation.name})

    def context(self) -> dict:
        valid = self.invitation is not None
        return {
            "title": f"Join {self.invitation.organization}" if valid else "This invitation is no longer valid",
            "invitation": self.invitation,
            "account": self.account,
            "own": valid and self.request.user.is_authenticated and self.request.user == self.account,
        }

    def post(self, request, **kwargs) -> HttpResponse:
        if not self.context()["own"]:
            return super().post(request, **kwargs)
        try:
            invitations.accept(key=kwargs["key"], user=self.account)
        except UserError as refusal:
            messages.error(request, str(refusal))
            return redirect(request.path)
        messages.success(request, f"You are a member of {self.invitation.organization}.")
        return redirect("home")

    def perform(self, given: dict) -> HttpResponse:
        invitations.accept(key=self.kwargs["key"], name=given["name"], password=given["password"])
        messages.success(self.request, "Your account is ready. Sign in with your e-mail address and password.")
        return redirect("account_login")


class SignUp(Entrance):
    """A new aggregator asks to take part. The answer is the same whether or not the address has an account."""

    template_name = "account/sign_up.html"
    title = "Sign up as an aggregator"

    def form(self) -> forms.SignUpForm:
        return forms.SignUpForm(**self.bound(), regulators=admissions.regulators())

    def perform(self, given: dict) -> HttpResponse:
        if not ratelimit.consume(self.request, action="signup", key=given["email"].lower()):
            return refuse(self.request, 429, "TOO_MANY_REQUESTS", "Too many requests", "Too many sign-ups. Try again tomorrow.")
        facts = {name: given[name] for name in admissions.FACTS}
        if not given["website"]:
            admissions.apply(**facts)
        return render(self.request, "account/sign_up_sent.html", {"title": "Look into your mailbox"})


class ConfirmSignUp(Entrance):
    """The page behind a sign-up's link: set a password, and wait for admission."""

    template_name = "account/sign_up_confirm.html"

    def form(self) -> forms.PasswordForm | None:
        facts = self.facts = admissions.applied(self.kwargs["key"])
        return forms.PasswordForm(**self.bound(), user=User(email=facts["email"], name=facts["name"])) if facts else None

    def context(self) -> dict:
        title = f"Open the account of {self.facts['organization']}" if self.facts else "This link is no longer valid"
        return {"title": title, "facts": self.facts}

    def perform(self, given: dict) -> HttpResponse:
        admissions.open_account(key=self.kwargs["key"], password=given["password"])
        messages.success(self.request, "Your account is open, and your organisation waits for admission. Sign in to see how it stands.")
        return redirect("account_login")


class Terms(TemplateView):
    """The terms of participation."""

    template_name = "account/terms.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(title="Terms of participation", version=admissions.TERMS_VERSION, **kwargs)


class OrganizationSignIn(Entrance):
    """Which organisation's sign-in is yours: found by the domain of your address."""

    template_name = "account/organization_sign_in.html"
    title = "Sign in with your organisation"

    def form(self) -> forms.AddressForm:
        return forms.AddressForm(**self.bound())

    def perform(self, given: dict) -> HttpResponse:
        provider = providers.provider_of(given["email"])
        if provider is None:
            raise UserError("No organisation has set up its own sign-in for this address.", "Sign in with your password.", "NO_PROVIDER")
        return render(self.request, self.template_name, {**self.context(), "provider": provider})
