// Package enforce holds the gate: the only way from a case to a hard action on a cluster,
// and the way back.
//
// Purpose: seventeen rules, each a small predicate over facts that were read live just
// before the act; then one write with preconditions, its record, and its undo.
//
// Concurrency: [Judge] and the predicates are pure. An [Enforcer] may be used from many
// goroutines; one docket is held by one goroutine at a time through the ledger's versions.
//
// Guarantees: a write is sent only after an intent with the prior state is in the ledger,
// after every rule has said yes, and with the object's UID and resourceVersion. An intent
// that a dead process left is settled by looking at the object, never by repeating.
//
// It will not: choose whom to act on, delete anything but an ingress, evict, or write
// anything besides /scale, an ingress, its own annotation and its own Lease.
package enforce
