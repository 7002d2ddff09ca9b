"""Addresses below /accounts/: of allauth only the pages that are in use."""

from allauth.account import views as allauth
from django.urls import path, re_path

from moc.accounts import views

urlpatterns = [
    path("login/", allauth.login, name="account_login"),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("email/", views.email, name="account_email"),
    path("confirm-email/", allauth.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", allauth.confirm_email, name="account_confirm_email"),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/set/", allauth.password_set, name="account_set_password"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", allauth.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("invitation/<str:key>/", views.AcceptInvitation.as_view(), name="account_invitation"),
    path("profile/", views.AccountHome.as_view(), name="account_home"),
    path("profile/tokens/new/", views.IssueToken.as_view(), name="token_issue"),
    path("profile/tokens/<uuid:uuid>/revoke/", views.RevokeToken.as_view(), name="token_revoke"),
    path("members/", views.Members.as_view(), name="members"),
    path("members/<slug:slug>/", views.MemberList.as_view(), name="member_list"),
    path("members/<slug:slug>/invite/", views.Invite.as_view(), name="member_invite"),
    path("members/<slug:slug>/<uuid:uuid>/", views.ChangeRoles.as_view(), name="member_roles"),
    path("members/<slug:slug>/<uuid:uuid>/end/", views.EndMembership.as_view(), name="member_end"),
    path("members/<slug:slug>/<uuid:uuid>/invite-again/", views.InviteAgain.as_view(), name="member_invite_again"),
]
