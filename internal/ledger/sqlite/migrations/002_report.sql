-- What the report's lists, its search and retention need. Old rows are filled from what is
-- stored; an old history row gets its docket's owner and its case's rule of today.

ALTER TABLE dockets ADD COLUMN closed INTEGER NOT NULL DEFAULT 0; -- since when nothing of it is open; 0: open
UPDATE dockets SET closed = max(observed, 1)
  WHERE NOT live AND enforcement = ''; -- one that was undone is seen to at its next change
CREATE INDEX dockets_closed ON dockets (closed) WHERE closed > 0;

ALTER TABLE cases ADD COLUMN due INTEGER NOT NULL DEFAULT 0; -- when its next step is due; 0: none
UPDATE cases SET due = coalesce(CAST(round((julianday(json_extract(doc, '$.case.plan.at')) - 2440587.5) * 86400000) AS INTEGER) * 1000, 0)
  WHERE status <> 'resolved' AND json_extract(doc, '$.case.plan.at') IS NOT NULL;
CREATE INDEX cases_due ON cases (due, id) WHERE due > 0;

ALTER TABLE owners RENAME TO owners_1;
CREATE TABLE owners (
  email   TEXT    NOT NULL, -- '': nobody was found
  case_id TEXT    NOT NULL,
  status  TEXT    NOT NULL,
  due     INTEGER NOT NULL,
  PRIMARY KEY (email, case_id)
) WITHOUT ROWID;
INSERT INTO owners SELECT o.email, o.case_id, c.status, c.due FROM owners_1 o JOIN cases c ON c.id = o.case_id;
INSERT INTO owners SELECT '', c.id, c.status, c.due FROM cases c
  WHERE NOT EXISTS (SELECT 1 FROM owners_1 o WHERE o.case_id = c.id);
DROP TABLE owners_1;
CREATE INDEX owners_case ON owners (case_id);

-- The newest enforcement and the newest refusal of each docket, without the prior state.
CREATE TABLE acts (
  cluster TEXT    NOT NULL,
  root    TEXT    NOT NULL,
  what    TEXT    NOT NULL, -- in-force, undone, refused
  at      INTEGER NOT NULL,
  doc     TEXT    NOT NULL,
  PRIMARY KEY (cluster, root)
) WITHOUT ROWID;
CREATE INDEX acts_page ON acts (what, at DESC, cluster, root);
INSERT INTO acts SELECT cluster, root,
    CASE WHEN enforcement = '' THEN 'refused' WHEN enforcement = 'undone' THEN 'undone' ELSE 'in-force' END,
    coalesce(CAST(round((julianday(coalesce(json_extract(doc, '$.enforcement.undo.at'), json_extract(doc, '$.enforcement.doneAt'),
      json_extract(doc, '$.enforcement.intentAt'), json_extract(doc, '$.refusal.at'))) - 2440587.5) * 86400000) AS INTEGER) * 1000, 0),
    json_object('docket', json_object('cluster', cluster, 'root', root), 'cluster', json_extract(doc, '$.cluster'),
      'root', json_extract(doc, '$.root'), 'owner', json_extract(doc, '$.owner'),
      'enforcement', json_remove(json_extract(doc, '$.enforcement'), '$.prior.manifest'),
      'refusal', json_extract(doc, '$.refusal'))
  FROM dockets WHERE enforcement <> '' OR (live AND json_extract(doc, '$.refusal') IS NOT NULL);

-- Which dockets speak of a notice: the last one to go takes it along.
CREATE TABLE notices (
  key     TEXT NOT NULL,
  cluster TEXT NOT NULL,
  root    TEXT NOT NULL,
  PRIMARY KEY (key, cluster, root)
) WITHOUT ROWID;
CREATE INDEX notices_docket ON notices (cluster, root);
INSERT INTO notices SELECT DISTINCT json_extract(n.value, '$.key'), d.cluster, d.root
  FROM dockets d, json_each(d.doc, '$.cases') c, json_each(c.value, '$.notices') n;

-- What was decided to go: its history may be deleted up to there, and no other.
CREATE TABLE doomed (
  cluster TEXT    NOT NULL,
  root    TEXT    NOT NULL,
  upto    INTEGER NOT NULL, -- its last line then
  PRIMARY KEY (cluster, root)
) WITHOUT ROWID;

DROP TRIGGER history_keeps;
DROP TRIGGER history_stays;
ALTER TABLE history ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
ALTER TABLE history ADD COLUMN rule TEXT NOT NULL DEFAULT '';
UPDATE history SET namespace = coalesce(json_extract(doc, '$.root.namespace'), ''),
  rule = coalesce((SELECT rule FROM cases WHERE id = case_id), '');
CREATE TRIGGER history_keeps BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_stays BEFORE DELETE ON history
WHEN NOT EXISTS (SELECT 1 FROM doomed d WHERE d.cluster = OLD.cluster AND d.root = OLD.root AND OLD.seq <= d.upto)
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

-- Each list of history walks one of these, newest first, and filters by the columns behind.
CREATE INDEX history_at ON history (at, seq);
CREATE INDEX history_namespace ON history (namespace, at, seq, rule, kind);
CREATE INDEX history_rule ON history (rule, at, seq, namespace, kind);
CREATE INDEX history_kind ON history (kind, at, seq, namespace, rule);
CREATE TABLE history_owners (
  email TEXT    NOT NULL,
  at    INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  PRIMARY KEY (email, at, seq)
) WITHOUT ROWID;
CREATE INDEX history_owners_seq ON history_owners (seq);
INSERT INTO history_owners SELECT DISTINCT e.value, h.at, h.seq FROM history h
  JOIN dockets d ON d.cluster = h.cluster AND d.root = h.root, json_each(d.doc, '$.owner.emails') e;

CREATE VIRTUAL TABLE history_text USING fts5(body, namespace, rule, kind, owners, content = '', contentless_delete = 1);
INSERT INTO history_text (rowid, body, namespace, rule, kind, owners)
  SELECT h.seq, substr(coalesce(json_extract(h.doc, '$.root.kind'), '') || ' ' || h.namespace || ' ' ||
      coalesce(json_extract(h.doc, '$.root.name'), '') || ' ' || h.rule || ' ' || coalesce(json_extract(h.doc, '$.entry.text'), ''), 1, 4096),
    h.namespace, h.rule, h.kind, coalesce((SELECT group_concat(o.email, ' ') FROM history_owners o WHERE o.seq = h.seq), '')
  FROM history h;

CREATE TABLE case_search (
  docid   INTEGER PRIMARY KEY, -- the row of case_text
  case_id TEXT NOT NULL UNIQUE,
  cluster TEXT NOT NULL,
  root    TEXT NOT NULL,
  body    TEXT NOT NULL
);
CREATE INDEX case_search_docket ON case_search (cluster, root);
CREATE VIRTUAL TABLE case_text USING fts5(body, content = '', contentless_delete = 1);
INSERT INTO case_search (case_id, cluster, root, body)
  SELECT id, cluster, root, substr(kind || ' ' || namespace || ' ' || coalesce(json_extract(doc, '$.root.name'), '') || ' ' || rule || ' ' ||
    coalesce(json_extract(doc, '$.case.source'), '') || ' ' || coalesce(json_extract(doc, '$.case.message'), '') || ' ' ||
    coalesce(json_extract(doc, '$.case.evidence'), '') || ' ' || cluster_name || ' ' ||
    coalesce((SELECT group_concat(o.email, ' ') FROM owners o WHERE o.case_id = id), ''), 1, 4096)
  FROM cases;
INSERT INTO case_text (rowid, body) SELECT docid, body FROM case_search;
ALTER TABLE cases ADD COLUMN docid INTEGER NOT NULL DEFAULT 0; -- its row of case_search
UPDATE cases SET docid = (SELECT docid FROM case_search WHERE case_id = id);
DROP INDEX cases_page;
CREATE INDEX cases_page ON cases
  (rank, seen DESC, id, status, rule, severity, kind, namespace, cluster_name, docid);
