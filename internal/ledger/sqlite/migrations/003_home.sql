-- The home of each row (ledger.Home), by which a reader's part is cut out.

ALTER TABLE dockets ADD COLUMN home TEXT NOT NULL DEFAULT '';
UPDATE dockets SET home = coalesce(nullif(json_extract(doc, '$.root.namespace'), ''),
  iif(json_extract(doc, '$.root.kind') = 'Namespace', json_extract(doc, '$.root.name'), ''), '');
CREATE INDEX dockets_home ON dockets (cluster, home, enforcement, observed);

ALTER TABLE cases ADD COLUMN home TEXT NOT NULL DEFAULT '';
UPDATE cases SET home = coalesce(nullif(namespace, ''), iif(kind = 'Namespace', json_extract(doc, '$.root.name'), ''), '');
DROP INDEX cases_page;
CREATE INDEX cases_page ON cases
  (rank, seen DESC, id, status, rule, severity, kind, namespace, cluster_name, docid, cluster, home);
CREATE INDEX cases_home ON cases (cluster, home, id);
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases (due, id, cluster, home) WHERE due > 0;

ALTER TABLE acts ADD COLUMN home TEXT NOT NULL DEFAULT '';
UPDATE acts SET home = (SELECT d.home FROM dockets d WHERE d.cluster = acts.cluster AND d.root = acts.root);
DROP INDEX acts_page;
CREATE INDEX acts_page ON acts (what, at DESC, cluster, root, home);

DROP TRIGGER history_keeps;
ALTER TABLE history ADD COLUMN home TEXT NOT NULL DEFAULT '';
UPDATE history SET home = iif(namespace <> '', namespace,
  coalesce(iif(json_extract(doc, '$.root.kind') = 'Namespace', json_extract(doc, '$.root.name'), ''), ''));
CREATE TRIGGER history_keeps BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
-- A part's lines are walked by this, and filtered by the columns behind.
CREATE INDEX history_home ON history (cluster, home, at, seq, rule, kind, namespace);
