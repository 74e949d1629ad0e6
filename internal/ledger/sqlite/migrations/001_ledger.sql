CREATE TABLE dockets (
  cluster     TEXT    NOT NULL,
  root        TEXT    NOT NULL,
  bucket      INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  live        INTEGER NOT NULL,
  enforcement TEXT    NOT NULL, -- its state, '' without one
  observed    INTEGER NOT NULL, -- microseconds since 1970
  doc         TEXT    NOT NULL,
  PRIMARY KEY (cluster, root)
);
CREATE INDEX dockets_live ON dockets (bucket) WHERE live;
CREATE INDEX dockets_enforcement ON dockets (enforcement) WHERE enforcement <> '';
CREATE INDEX dockets_observed ON dockets (observed);

CREATE TABLE cases (
  id           TEXT    PRIMARY KEY,
  cluster      TEXT    NOT NULL,
  root         TEXT    NOT NULL,
  cluster_name TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  namespace    TEXT    NOT NULL,
  rule         TEXT    NOT NULL,
  severity     TEXT    NOT NULL,
  rank         INTEGER NOT NULL, -- 0 is the worst severity
  status       TEXT    NOT NULL,
  seen         INTEGER NOT NULL, -- first seen, microseconds since 1970
  opened       INTEGER NOT NULL, -- 0: not opened
  doc          TEXT    NOT NULL
);
CREATE INDEX cases_docket ON cases (cluster, root);
-- Filters and counts are answered from this index alone, in the order of the pages.
CREATE INDEX cases_page ON cases
  (rank, seen DESC, id, status, rule, severity, kind, namespace, cluster_name);

CREATE TABLE owners (
  email   TEXT NOT NULL,
  case_id TEXT NOT NULL,
  PRIMARY KEY (email, case_id)
) WITHOUT ROWID;
CREATE INDEX owners_case ON owners (case_id);

CREATE TABLE history (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  cluster TEXT    NOT NULL,
  root    TEXT    NOT NULL,
  at      INTEGER NOT NULL, -- microseconds since 1970
  kind    TEXT    NOT NULL,
  case_id TEXT    NOT NULL,
  doc     TEXT    NOT NULL
);
CREATE INDEX history_docket ON history (cluster, root, seq);
CREATE TRIGGER history_keeps BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_stays BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

CREATE TABLE records (
  key     TEXT    PRIMARY KEY,
  version INTEGER NOT NULL,
  value   BLOB    NOT NULL
);
