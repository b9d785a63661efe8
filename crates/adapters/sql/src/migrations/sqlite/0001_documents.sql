-- Documents have a number of their own, so that an index entry leads to its document in one step
-- and a large body does not thin out the tree that is searched by key.
CREATE TABLE documents (
  doc        INTEGER PRIMARY KEY,
  collection TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  expires_at INTEGER,             -- microseconds since the epoch
  entries    BLOB    NOT NULL,    -- the entries as they were written, to find them again
  body       BLOB    NOT NULL
);
CREATE UNIQUE INDEX documents_key ON documents (collection, id);
CREATE INDEX documents_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE index_entries (
  collection TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  value      BLOB    NOT NULL,
  id         TEXT    NOT NULL,
  doc        INTEGER NOT NULL,
  PRIMARY KEY (collection, name, value, id)
) WITHOUT ROWID;

CREATE TABLE unique_entries (
  collection TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  value      BLOB    NOT NULL,
  id         TEXT    NOT NULL,
  doc        INTEGER NOT NULL,
  PRIMARY KEY (collection, name, value)
) WITHOUT ROWID;
