"""Addresses below /accounts/: of allauth only the pages that are in use."""

from allauth.account import views as allauth
from allauth.mfa import urls as second_factor
from django.urls import include, path, re_path

from moc.accounts import entrances, members, openid, views

urlpatterns = [
    path("login/", allauth.login, name="account_login"),
    path("login/organization/", entrances.OrganizationSignIn.as_view(), name="organization_sign_in"),
    path("oidc/<str:provider_id>/login/", openid.login, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", openid.callback, name="openid_connect_callback"),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("2fa/webauthn/keys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("2fa/", include(second_factor)),
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
    path("invitation/<str:key>/", entrances.AcceptInvitation.as_view(), name="account_invitation"),
    path("sign-up/", entrances.SignUp.as_view(), name="account_sign_up"),
    path("sign-up/terms/", entrances.Terms.as_view(), name="account_terms"),
    path("sign-up/<str:key>/", entrances.ConfirmSignUp.as_view(), name="account_sign_up_confirm"),
    path("profile/", views.AccountHome.as_view(), name="account_home"),
    path("profile/tokens/new/", views.IssueToken.as_view(), name="token_issue"),
    path("profile/tokens/<uuid:uuid>/revoke/", views.RevokeToken.as_view(), name="token_revoke"),
    path("sessions/", views.Sessions.as_view(), name="account_sessions"),
    path("members/", members.Members.as_view(), name="members"),
    path("members/<slug:slug>/", members.MemberList.as_view(), name="member_list"),
    path("members/<slug:slug>/invite/", members.Invite.as_view(), name="member_invite"),
    path("members/<slug:slug>/<uuid:uuid>/", members.ChangeRoles.as_view(), name="member_roles"),
    path("members/<slug:slug>/<uuid:uuid>/end/", members.EndMembership.as_view(), name="member_end"),
    path("members/<slug:slug>/<uuid:uuid>/sessions/", members.MemberSessions.as_view(), name="member_sessions"),
    path("members/<slug:slug>/<uuid:uuid>/unlock/", members.Unlock.as_view(), name="member_unlock"),
    path("members/<slug:slug>/invitations/<uuid:uuid>/again/", members.InviteAgain.as_view(), name="invitation_again"),
    path("members/<slug:slug>/invitations/<uuid:uuid>/revoke/", members.RevokeInvitation.as_view(), name="invitation_revoke"),
]
