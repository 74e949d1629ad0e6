-- What was undone is called so, and what waits for a person has no date.

UPDATE cases SET status = 'undone', doc = json_set(doc, '$.status', 'undone')
  WHERE status = 'acted' AND EXISTS (SELECT 1 FROM dockets d WHERE d.cluster = cases.cluster AND d.root = cases.root AND d.enforcement = 'undone');
UPDATE cases SET due = 0 WHERE due > 0 AND status IN ('needs-human', 'contested');
UPDATE owners SET status = (SELECT c.status FROM cases c WHERE c.id = owners.case_id), due = (SELECT c.due FROM cases c WHERE c.id = owners.case_id)
  WHERE EXISTS (SELECT 1 FROM cases c WHERE c.id = owners.case_id AND (c.status <> owners.status OR c.due <> owners.due));
