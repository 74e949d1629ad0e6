// Package v1 is the wire of K8Guard: what discover says to action over the bus, and what
// the report serves as JSON.
//
// Purpose: one vocabulary for every process of a K8Guard, and for programs that read it.
// JSON names are a promise: a field may be added, none is renamed or reused within v1.
//
// Concurrency: plain values; share them only when nobody writes.
//
// Guarantees: a message is a statement of what is so now (level), never a change; to
// receive one twice, late or not at all does no harm (see [Order]).
//
// It will not: talk to anything, read a clock, or import another package of K8Guard.
package v1
