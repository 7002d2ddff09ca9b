-- The session's tables for one change of members: the texts as given, and the typed rows; they vanish with the transaction.
-- Called by registry.aggregations.services.membership.lay_tables.
DROP TABLE IF EXISTS member_filing, member_choice, member_rows, member_findings;
CREATE TEMPORARY TABLE member_filing (
    row_number integer NOT NULL, shape_problem text, der text, service text, share_percent text, "from" text, until text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE member_choice (der_id bigint NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE member_rows (
    row_number integer NOT NULL, shape_problem text, given_der text, given_service text, given_share text, given_from text, given_until text,
    der_id bigint, edc_id bigint, gone boolean, service text, share numeric, starts date, ends date
) ON COMMIT DROP
