export const GROUP = 'remit.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}` as const
export const EVIDENCE_GROUP = 'evidence.remit.dev'

/** On everything made for an agent: ServiceAccount, Pod, NetworkPolicy, AgentRemit. Value: the AgentIdentity's name. */
export const LABEL_AGENT = 'remit.dev/agent'
/** Value: the AgentIdentity's UID. */
export const LABEL_AGENT_ID = 'remit.dev/agent-id'
/** Hash of the pod template; a pod with another one is replaced. */
export const ANNOTATION_TEMPLATE = 'remit.dev/template'
/** On an AgentRemit, for people: the first 12 digits of the remit's digest. */
export const ANNOTATION_DIGEST = 'remit.dev/digest'
export const FINALIZER_AGENT = 'remit.dev/agent'
export const FINALIZER_NETWORK = 'remit.dev/pod-gone'

/** ServiceAccount, Pod and NetworkPolicy of an agent. */
export const agentObjectName = (agent: string): string => `agent-${agent}`

export const AUDIENCE_LEDGER = 'remit-ledger'

export const AGENT_CONTAINER = 'agent'
export const SIDECAR_CONTAINER = 'remit-sidecar'
/** The gate, on loopback only. */
export const PORT_GATE = 7480
/** /livez, /readyz, /metrics on the pod's address. */
export const PORT_HEALTH = 7481
export const PORT_LEDGER = 8443
export const PORT_WEBHOOK = 8443

/** Names in the system namespace (`remit-system` by default). */
export const SECRET_SIGNING_KEY = 'remit-signing-key'
export const SECRET_CA = 'remit-ca'
export const SECRET_WEBHOOK_TLS = 'remit-webhook-tls'
export const SECRET_LEDGER_TLS = 'remit-ledger-tls'
export const CONFIGMAP_ADMISSION = 'remit-admission'
export const LEASE_OPERATOR = 'remit-operator'
export const SERVICE_LEDGER = 'remit-ledger'
export const SERVICE_WEBHOOK = 'remit-webhook'

/** Pod volumes the sidecar alone mounts. */
export const VOLUME_TOKEN = 'remit-token'
export const VOLUME_CREDENTIALS = 'remit-credentials'
export const VOLUME_SPOOL = 'remit-spool'
export const PATH_TOKEN = '/var/run/remit/token'
export const PATH_CREDENTIALS = '/var/run/remit/credentials'
export const PATH_SPOOL = '/var/lib/remit/spool'
