-- Commits a batch as outrigger_commit_v1 does, some of whose puts are of documents from another
-- store: these get the versions that they have there. The document is locked by its own row from the
-- first function on, so nobody sees it with another version.
CREATE FUNCTION outrigger_restore_v1(
  restored bigint[],
  now_us bigint, kinds smallint[], lock_order integer[],
  collections text[], ids text[], wants bigint[], bodies bytea[], expiries bigint[],
  entry_from integer[], entry_to integer[],
  entry_names text[], entry_values bytea[], entry_uniques boolean[]
) RETURNS bigint[] LANGUAGE plpgsql AS $body$
DECLARE
  versions bigint[];
BEGIN
  versions := outrigger_commit_v1(
    now_us, kinds, lock_order, collections, ids, wants, bodies, expiries,
    entry_from, entry_to, entry_names, entry_values, entry_uniques);
  IF versions[1] = -1 THEN
    RETURN versions;
  END IF;
  FOR i IN 1..array_length(kinds, 1) LOOP
    CONTINUE WHEN restored[i] IS NULL OR restored[i] = versions[i];
    UPDATE outrigger_documents d SET version = restored[i]
    WHERE d.collection = collections[i] AND d.id = ids[i];
    versions[i] := restored[i];
  END LOOP;
  RETURN versions;
END
$body$;
