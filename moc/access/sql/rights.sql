-- What gives a user rights: seats, what their organisations oversee, grants on organisations; and what the law hides on this day.
-- Called by moc.access.policy._told.
WITH seat AS (
    SELECT membership.organization_id, organization.kind, membership.role
    FROM moc_membership AS membership
    JOIN moc_organization AS organization ON organization.id = membership.organization_id AND organization.is_active
    WHERE membership.user_id = %(user)s AND membership.is_active {living}
)
SELECT 'seat' AS what, organization_id, kind, role AS name, NULL::bigint AS overseer_id FROM seat
UNION ALL
SELECT 'overseen', overseen.id, overseen.kind, '', oversight.overseer_id
FROM moc_oversight AS oversight
JOIN moc_organization AS overseen ON overseen.id = oversight.overseen_id
WHERE oversight.overseer_id IN (SELECT organization_id FROM seat WHERE kind <> %(operator)s)
UNION ALL
SELECT 'granted', organization.id, organization.kind, permission.codename, NULL
FROM moc_organizationuserobjectpermission AS granted
JOIN moc_organization AS organization ON organization.id = granted.content_object_id
JOIN auth_permission AS permission ON permission.id = granted.permission_id
WHERE granted.user_id = %(user)s
UNION ALL
SELECT 'said', NULL, authority, value::text, NULL FROM moc_ruleset WHERE key = %(hidden)s AND valid_during @> %(today)s
