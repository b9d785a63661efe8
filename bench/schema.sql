-- What the two peers keep: the same tables for both, each in a database of its own.
CREATE TABLE items (
  id         text COLLATE "C" PRIMARY KEY,
  version    bigint NOT NULL,
  created_at bigint NOT NULL,  -- microseconds since the epoch
  updated_at bigint NOT NULL,
  created_by text,
  status     text COLLATE "C" NOT NULL,
  data       text NOT NULL     -- JSON, kept as it came
);
CREATE INDEX items_status ON items (status, id);

CREATE TABLE users (
  id            text COLLATE "C" PRIMARY KEY,
  email         text COLLATE "C" NOT NULL UNIQUE,
  role          text NOT NULL,
  password_hash text NOT NULL
);

CREATE TABLE sessions (
  id           text COLLATE "C" PRIMARY KEY,
  user_id      text COLLATE "C" NOT NULL,
  role         text NOT NULL,
  refresh_hash bytea NOT NULL,
  created_at   bigint NOT NULL,
  expires_at   bigint NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
