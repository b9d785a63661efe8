-- Text is compared bytewise (COLLATE "C"), bodies are kept byte for byte, times are microseconds
-- since the epoch. The entries of a document stand beside it, to find them again when it changes.
CREATE TABLE outrigger_documents (
  version        bigint NOT NULL,
  expires_at     bigint,
  collection     text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  entry_names    text[],
  entry_values   bytea[],
  entry_uniques  boolean[],
  body           bytea NOT NULL,
  PRIMARY KEY (collection, id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX outrigger_documents_expiry ON outrigger_documents (expires_at)
  WHERE expires_at IS NOT NULL;

CREATE TABLE outrigger_index_entries (
  collection text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  value      bytea NOT NULL,
  id         text COLLATE "C" NOT NULL,
  PRIMARY KEY (collection, name, value, id)
);

-- A unique entry has the expiry of its document: an expired holder is replaced in one statement.
CREATE TABLE outrigger_unique_entries (
  collection text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  value      bytea NOT NULL,
  id         text COLLATE "C" NOT NULL,
  expires_at bigint,
  PRIMARY KEY (collection, name, value)
);

-- The number under which a key is locked with pg_advisory_xact_lock.
CREATE FUNCTION outrigger_guard_v1(collection text, id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended((collection || '/' || id) COLLATE "C", 7305);

-- Replaces the plain index entries of a document by those that differ. Statement by statement with
-- whole keys: a join would leave it to the planner how the entries are found.
CREATE FUNCTION outrigger_reindex_v1(
  of_collection text, of_id text,
  old_names text[], old_values bytea[], old_uniques boolean[],
  new_names text[], new_values bytea[], new_uniques boolean[]
) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  other integer;
BEGIN
  FOR i IN 1..coalesce(array_length(old_names, 1), 0) LOOP
    CONTINUE WHEN old_uniques[i];
    other := array_position(new_names, old_names[i]);
    CONTINUE WHEN NOT new_uniques[other] AND new_values[other] = old_values[i];
    DELETE FROM outrigger_index_entries e
    WHERE e.collection = of_collection AND e.name = old_names[i]
      AND e.value = old_values[i] AND e.id = of_id;
  END LOOP;
  FOR i IN 1..coalesce(array_length(new_names, 1), 0) LOOP
    CONTINUE WHEN new_uniques[i];
    other := array_position(old_names, new_names[i]);
    CONTINUE WHEN NOT old_uniques[other] AND old_values[other] = new_values[i];
    INSERT INTO outrigger_index_entries (collection, name, value, id)
    VALUES (of_collection, new_names[i], new_values[i], of_id);
  END LOOP;
END
$body$;

-- Commits a batch. Arrays have one element for each write; kind is 0 put, 1 reindex, 2 delete,
-- 3 check; want is -1 any, -2 exists, 0 absent, else the version; lock_order lists the writes by
-- key; entry_from and entry_to say which of the entries belong to a write (by number, from 1).
-- Returns the versions; or, when a precondition does not hold, {-1, write, found or -1}, with
-- nothing changed. Raises OR001 (write:found) when that shows only later, OR002 (write:index)
-- when a unique value is taken. The argument why this is safe stands in postgres/commit.rs.
CREATE FUNCTION outrigger_commit_v1(
  now_us bigint, kinds smallint[], lock_order integer[],
  collections text[], ids text[], wants bigint[], bodies bytea[], expiries bigint[],
  entry_from integer[], entry_to integer[],
  entry_names text[], entry_values bytea[], entry_uniques boolean[]
) RETURNS bigint[] LANGUAGE plpgsql AS $body$
DECLARE
  n          integer := array_length(kinds, 1);
  i          integer;
  found_row  record;
  there      boolean[] := array_fill(false, ARRAY[n]);  -- a row, live or expired
  live       boolean[] := array_fill(false, ARRAY[n]);
  versions   bigint[] := array_fill(0::bigint, ARRAY[n]);
  held       integer[] := '{}';                         -- rows put in to hold the key of an absent one
  expiry     bigint;
  names      text[];
  vals       bytea[];
  uniques    boolean[];
  old_expiry  bigint;
  old_names   text[];
  old_vals    bytea[];
  old_uniques boolean[];
  other       integer;                                  -- the place of an index in the other list
  u_write    integer[] := '{}';
  u_name     text[] := '{}';
  u_value    bytea[] := '{}';
  u_drop     boolean[] := '{}';
  u_expiry   bigint[] := '{}';
  step       record;
  taken      integer;
  taken_name text;
BEGIN
  -- 1. Guards, in the order of keys.
  FOREACH i IN ARRAY lock_order LOOP
    IF kinds[i] = 3 THEN
      PERFORM pg_advisory_xact_lock_shared(outrigger_guard_v1(collections[i], ids[i]));
    ELSE
      PERFORM pg_advisory_xact_lock(outrigger_guard_v1(collections[i], ids[i]));
    END IF;
  END LOOP;

  -- 2. What is there, and whether it is what the batch wants.
  FOR i IN 1..n LOOP
    SELECT d.version, d.expires_at, d.entry_names, d.entry_values, d.entry_uniques INTO found_row
    FROM outrigger_documents d WHERE d.collection = collections[i] AND d.id = ids[i];
    IF FOUND THEN
      there[i] := true;
      IF found_row.expires_at IS NULL OR found_row.expires_at > now_us THEN
        live[i] := true;
        versions[i] := found_row.version;
      END IF;
    END IF;
    IF NOT (wants[i] = -1 OR wants[i] = versions[i] OR (wants[i] = -2 AND live[i])) THEN
      RETURN ARRAY[-1, i, CASE WHEN live[i] THEN versions[i] ELSE -1 END];
    END IF;
  END LOOP;

  -- 3. Documents, in the order of keys.
  FOREACH i IN ARRAY lock_order LOOP
    names := NULL; vals := NULL; uniques := NULL;
    IF entry_to[i] >= entry_from[i] THEN
      names := entry_names[entry_from[i]:entry_to[i]];
      vals := entry_values[entry_from[i]:entry_to[i]];
      uniques := entry_uniques[entry_from[i]:entry_to[i]];
    END IF;
    -- The key of a document that is not there is held by the row itself, or by one put in for it.
    -- A single write that finds nothing to change has nothing to hold.
    WHILE NOT there[i] AND (kinds[i] = 0 OR n > 1) LOOP
      INSERT INTO outrigger_documents
        (version, expires_at, collection, id, entry_names, entry_values, entry_uniques, body)
      VALUES (1, expiries[i], collections[i], ids[i], names, vals, uniques, coalesce(bodies[i], ''))
      ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
      -- Somebody has just created it; the guard keeps it from now on.
      SELECT d.version, d.expires_at, d.entry_names, d.entry_values, d.entry_uniques INTO found_row
      FROM outrigger_documents d WHERE d.collection = collections[i] AND d.id = ids[i];
      CONTINUE WHEN NOT FOUND;
      there[i] := true;
      live[i] := found_row.expires_at IS NULL OR found_row.expires_at > now_us;
      versions[i] := CASE WHEN live[i] THEN found_row.version ELSE 0 END;
      IF NOT (wants[i] = -1 OR wants[i] = versions[i] OR (wants[i] = -2 AND live[i])) THEN
        RAISE EXCEPTION USING ERRCODE = 'OR001',
          MESSAGE = format('%s:%s', i, CASE WHEN live[i] THEN versions[i] ELSE -1 END);
      END IF;
    END LOOP;

    IF NOT there[i] THEN
      IF kinds[i] <> 0 THEN
        IF n > 1 THEN
          held := held || i;
        END IF;
        CONTINUE;
      END IF;
      versions[i] := 1;
      expiry := expiries[i];
      old_names := NULL; old_vals := NULL; old_uniques := NULL; old_expiry := NULL;
    ELSE
      CONTINUE WHEN kinds[i] = 3 OR (kinds[i] = 1 AND NOT live[i]);
      IF n > 1 THEN
        SELECT d.version, d.expires_at, d.entry_names, d.entry_values, d.entry_uniques INTO found_row
        FROM outrigger_documents d WHERE d.collection = collections[i] AND d.id = ids[i];
      END IF;
      old_names := found_row.entry_names; old_vals := found_row.entry_values;
      old_uniques := found_row.entry_uniques; old_expiry := found_row.expires_at;
      expiry := old_expiry;
      IF kinds[i] = 2 THEN
        DELETE FROM outrigger_documents d WHERE d.collection = collections[i] AND d.id = ids[i];
        versions[i] := 0;
      ELSIF kinds[i] = 0 THEN
        expiry := expiries[i];
        versions[i] := versions[i] + 1;
        UPDATE outrigger_documents d
        SET version = versions[i], expires_at = expiry, entry_names = names,
            entry_values = vals, entry_uniques = uniques, body = bodies[i]
        WHERE d.collection = collections[i] AND d.id = ids[i];
      ELSIF names IS DISTINCT FROM old_names OR vals IS DISTINCT FROM old_vals
         OR uniques IS DISTINCT FROM old_uniques THEN
        UPDATE outrigger_documents d
        SET entry_names = names, entry_values = vals, entry_uniques = uniques
        WHERE d.collection = collections[i] AND d.id = ids[i];
      END IF;
    END IF;

    IF names IS DISTINCT FROM old_names OR vals IS DISTINCT FROM old_vals
       OR uniques IS DISTINCT FROM old_uniques THEN
      PERFORM outrigger_reindex_v1(
        collections[i], ids[i], old_names, old_vals, old_uniques, names, vals, uniques);
    END IF;
    IF true = ANY (uniques) OR true = ANY (old_uniques) THEN
      FOR j IN 1..coalesce(array_length(old_names, 1), 0) LOOP
        CONTINUE WHEN NOT old_uniques[j];
        other := array_position(names, old_names[j]);
        CONTINUE WHEN uniques[other] AND vals[other] = old_vals[j];
        u_write := u_write || i; u_name := u_name || old_names[j]; u_value := u_value || old_vals[j];
        u_drop := u_drop || true; u_expiry := u_expiry || expiry;
      END LOOP;
      FOR j IN 1..coalesce(array_length(names, 1), 0) LOOP
        CONTINUE WHEN NOT uniques[j];
        -- Also written again when its expiry is another one, or somebody may have taken it over.
        other := array_position(old_names, names[j]);
        CONTINUE WHEN live[i] AND expiry IS NOT DISTINCT FROM old_expiry
          AND old_uniques[other] AND old_vals[other] = vals[j];
        u_write := u_write || i; u_name := u_name || names[j]; u_value := u_value || vals[j];
        u_drop := u_drop || false; u_expiry := u_expiry || expiry;
      END LOOP;
    END IF;
  END LOOP;

  -- 4. Unique values, in their order; at each, what gives it up comes before what takes it.
  IF cardinality(u_write) > 0 THEN
    FOR step IN
      SELECT u.w, u.name, u.value, u.gone, u.expiry
      FROM unnest(u_write, u_name, u_value, u_drop, u_expiry) AS u(w, name, value, gone, expiry)
      ORDER BY collections[u.w] COLLATE "C", u.name COLLATE "C", u.value, u.gone DESC, u.w
    LOOP
      IF step.gone THEN
        DELETE FROM outrigger_unique_entries e
        WHERE e.collection = collections[step.w] AND e.name = step.name
          AND e.value = step.value AND e.id = ids[step.w];
      ELSE
        INSERT INTO outrigger_unique_entries AS e (collection, name, value, id, expires_at)
        VALUES (collections[step.w], step.name, step.value, ids[step.w], step.expiry)
        ON CONFLICT (collection, name, value) DO UPDATE
          SET id = excluded.id, expires_at = excluded.expires_at
          WHERE e.id = excluded.id OR e.expires_at <= now_us;
        IF NOT FOUND THEN
          taken := step.w;
          taken_name := step.name;
        END IF;
      END IF;
    END LOOP;
    IF taken IS NOT NULL THEN
      -- The first is named, as the batch has them, that an earlier one takes or that is of somebody
      -- whom the batch does not rewrite. What the batch itself has put in does not matter to that.
      SELECT c.w, c.name INTO taken, taken_name
      FROM (
        SELECT w, j, collections[w] AS collection, entry_names[j] AS name, entry_values[j] AS value,
          row_number() OVER (
            PARTITION BY collections[w], entry_names[j], entry_values[j] ORDER BY j) AS place
        FROM generate_series(1, n) AS w, generate_series(entry_from[w], entry_to[w]) AS j
        WHERE entry_uniques[j] AND (kinds[w] = 0 OR live[w])
      ) c
      WHERE c.place > 1 OR NOT EXISTS (
        SELECT FROM outrigger_unique_entries e, generate_series(1, n) AS w
        WHERE e.collection = c.collection AND e.name = c.name AND e.value = c.value
          AND collections[w] = e.collection AND ids[w] = e.id AND kinds[w] <> 3)
      ORDER BY c.j LIMIT 1;
      RAISE EXCEPTION USING ERRCODE = 'OR002', MESSAGE = format('%s:%s', taken, taken_name);
    END IF;
  END IF;

  -- 5. The rows that only held the key of an absent document.
  FOREACH i IN ARRAY held LOOP
    DELETE FROM outrigger_documents d WHERE d.collection = collections[i] AND d.id = ids[i];
  END LOOP;
  RETURN versions;
END
$body$;

-- Deletes up to most expired documents, leaving out those that somebody is at; returns how many.
CREATE FUNCTION outrigger_purge_v1(now_us bigint, most integer) RETURNS bigint
LANGUAGE plpgsql AS $body$
DECLARE
  old    record;
  gone   record;
  purged bigint := 0;
BEGIN
  FOR old IN
    SELECT d.collection, d.id FROM outrigger_documents d
    WHERE d.expires_at IS NOT NULL AND d.expires_at <= now_us ORDER BY d.expires_at LIMIT most
  LOOP
    CONTINUE WHEN NOT pg_try_advisory_xact_lock(outrigger_guard_v1(old.collection, old.id));
    DELETE FROM outrigger_documents d
    WHERE d.collection = old.collection AND d.id = old.id AND d.expires_at <= now_us
    RETURNING d.entry_names, d.entry_values, d.entry_uniques INTO gone;
    CONTINUE WHEN NOT FOUND;
    purged := purged + 1;
    CONTINUE WHEN gone.entry_names IS NULL;
    PERFORM outrigger_reindex_v1(old.collection, old.id,
      gone.entry_names, gone.entry_values, gone.entry_uniques, NULL, NULL, NULL);
    FOR i IN 1..array_length(gone.entry_names, 1) LOOP
      CONTINUE WHEN NOT gone.entry_uniques[i];
      DELETE FROM outrigger_unique_entries e
      WHERE e.collection = old.collection AND e.name = gone.entry_names[i]
        AND e.value = gone.entry_values[i] AND e.id = old.id;
    END LOOP;
  END LOOP;
  RETURN purged;
END
$body$;
