-- Each query returns the places where a promise is broken; no rows is right. Tests, GX and `bereik status --check`
-- all read this one file. They run as bereik_auditor, who reads no sealed value.

-- name: every_received_event_has_one_fate
SELECT partner, door, sum(received) AS received, sum(fates) AS fates
FROM (SELECT partner, door, received, 0 AS fates FROM intake.landed
      UNION ALL SELECT partner, door, 0, 1 FROM intake.receipt) AS both_counts
GROUP BY partner, door HAVING sum(received) <> sum(fates);

-- name: landed_ranges_follow_each_other
SELECT topic, partition, next_offset, following
FROM (SELECT topic, partition, max(next_offset) AS next_offset,
             lead(first_offset) OVER (PARTITION BY topic, partition ORDER BY first_offset) AS following
      FROM intake.landed GROUP BY topic, partition, first_offset) AS ranges
WHERE following <> next_offset;

-- name: position_is_not_ahead_of_what_landed
SELECT p.topic, p.partition, p.next, coalesce(max(l.next_offset), 0) AS landed
FROM ops.position p LEFT JOIN intake.landed l ON l.topic = p.topic AND l.partition = p.partition
WHERE p.group_name = 'intake' GROUP BY p.topic, p.partition, p.next
HAVING count(l.topic) > 0 AND p.next <> max(l.next_offset);

-- name: an_accepted_id_is_claimed_once
SELECT partner, event_id, count(*) FROM intake.receipt WHERE fate = 'accepted' GROUP BY partner, event_id HAVING count(*) > 1;

-- name: a_fate_that_is_not_accepted_gives_its_reasons
SELECT receipt_id, fate FROM intake.receipt WHERE fate <> 'accepted' AND jsonb_array_length(reasons) = 0;

-- name: every_original_is_kept
SELECT r.receipt_id, r.fate FROM intake.receipt r
WHERE r.fate <> 'duplicate' AND NOT EXISTS (
    SELECT 1 FROM intake.original o WHERE (o.topic, o.partition, o."offset") = (r.topic, r.partition, r."offset"))
  AND r.received_at > now() - interval '24 hours';

-- name: every_accepted_signal_has_one_record
SELECT r.receipt_id, r.signal_id FROM intake.receipt r
WHERE r.fate = 'accepted' AND r.action = 'report' AND NOT EXISTS (SELECT 1 FROM vault.record v WHERE v.signal_id = r.signal_id);

-- name: every_record_was_accepted
SELECT v.signal_id FROM vault.record v
WHERE NOT EXISTS (SELECT 1 FROM intake.receipt r WHERE r.signal_id = v.signal_id AND r.fate = 'accepted' AND r.action = 'report');

-- name: every_record_has_its_link
SELECT v.signal_id FROM vault.record v
WHERE v.person_id IS DISTINCT FROM (SELECT l.person_id FROM vault.link l WHERE l.signal_id = v.signal_id ORDER BY l.version DESC LIMIT 1);

-- name: every_record_is_found_by_its_keys
SELECT v.signal_id FROM vault.record v LEFT JOIN (SELECT DISTINCT signal_id FROM vault.key) k USING (signal_id)
WHERE v.keyed <> (k.signal_id IS NOT NULL);

-- name: never_one_person_is_never_one_person
SELECT v.one, v.other FROM vault.verdict v JOIN vault.record a ON a.signal_id = v.one JOIN vault.record b ON b.signal_id = v.other
WHERE v.ended_at IS NULL AND NOT v.same AND a.person_id = b.person_id;

-- name: every_partition_is_read
SELECT group_name, topic, partition, held FROM ops.position WHERE held IS NOT NULL;

-- name: nothing_of_ours_is_parked
SELECT group_name, topic, partition, "offset", error FROM ops.parked;

-- name: no_subject_has_two_purposes
SELECT subject FROM casework.signal GROUP BY subject HAVING count(DISTINCT purpose) > 1;

-- name: every_active_signal_is_in_a_case
SELECT signal_id FROM casework.signal WHERE status = 'active' AND case_id IS NULL;

-- name: every_case_holds_the_signals_it_says
SELECT c.case_id, c.signals, count(s.signal_id) AS found
FROM casework.case c LEFT JOIN casework.signal s ON s.case_id = c.case_id AND s.status = 'active'
GROUP BY c.case_id, c.signals HAVING c.signals <> count(s.signal_id);

-- name: a_bridge_has_two_sides_of_two_purposes
SELECT b.bridge_id FROM bridge.bridge b LEFT JOIN bridge.side s USING (bridge_id)
GROUP BY b.bridge_id HAVING count(DISTINCT s.purpose) <> 2;

-- name: an_ended_bridge_shows_nothing
SELECT s.bridge_id FROM bridge.side s JOIN bridge.bridge b USING (bridge_id) WHERE b.state <> 'open' AND s.shown <> '{}'::jsonb;

-- The rest holds once nothing is under way: the outbox is empty and every consumer is at the end of its topics.

-- name: drained.every_record_reached_casework
SELECT v.signal_id, v.version FROM vault.record v LEFT JOIN casework.signal s USING (signal_id)
WHERE s.signal_id IS NULL OR s.version <> v.version OR s.status <> v.status OR s.person_id <> v.person_id;

-- name: drained.every_alert_was_told_once
SELECT c.case_id, c.alerted, count(a.alert_id) AS told
FROM casework.case c LEFT JOIN casework.alert a ON a.case_id = c.case_id AND a.case_version > 0
GROUP BY c.case_id, c.alerted HAVING c.alerted <> count(a.alert_id);

-- name: drained.one_alert_per_case_version
SELECT case_id, case_version, count(*) FROM casework.alert WHERE case_version > 0 GROUP BY case_id, case_version HAVING count(*) > 1;
