/** Of the tables below; an index of another version is made again. */
export const VERSION = 6
/** Columns of `receipts`: those of Row, and `past`. */
export const COLUMNS =
  'n segment offset length namespace agent agent_id incarnation seq hash name kind time action type server tool method target effect code rule policy reason on_call intent outcome outcome_n class facts past'.split(
    ' ',
  )
/**
 * `past` is when a receipt counts in its agent's history, in milliseconds; null when it does not: a result is never before
 * its call, though clocks are set back. Only calls of tools and reads of resources and prompts are in it, and one result
 * of each.
 */
export const SCHEMA = `
CREATE TABLE receipts (
  n INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  namespace TEXT NOT NULL, agent TEXT NOT NULL, agent_id TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL,
  hash TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, time INTEGER NOT NULL,
  action TEXT, type TEXT, server TEXT, tool TEXT, method TEXT, target TEXT, effect TEXT, code TEXT, rule TEXT, policy TEXT, reason TEXT, on_call TEXT,
  intent TEXT, outcome TEXT, outcome_n INTEGER, class TEXT, facts TEXT, past INTEGER
) STRICT;
CREATE UNIQUE INDEX receipts_chain ON receipts (incarnation, seq);
CREATE INDEX receipts_namespace ON receipts (namespace, n);
CREATE INDEX receipts_agent ON receipts (namespace, agent, n);
CREATE INDEX receipts_outcome ON receipts (outcome_n) WHERE outcome_n IS NOT NULL;
CREATE INDEX receipts_past ON receipts (agent_id, past, n) WHERE past IS NOT NULL;
CREATE INDEX receipts_frozen ON receipts (agent_id, past) WHERE kind = 'escalation';
CREATE TABLE incarnations (
  incarnation TEXT PRIMARY KEY, namespace TEXT NOT NULL, agent TEXT NOT NULL, agentId TEXT NOT NULL, podUID TEXT NOT NULL,
  publicKey TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incarnations_pod ON incarnations (podUID);
CREATE TABLE counters (
  agent_id TEXT PRIMARY KEY, calls INTEGER NOT NULL, denied INTEGER NOT NULL, at INTEGER, what TEXT,
  frozen_at INTEGER, frozen_policy TEXT, frozen_detail TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0);
PRAGMA user_version = ${VERSION};
`
