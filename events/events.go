// Package events carries the examples of this folder: events to publish, and
// one invocation for each function.
package events

import "embed"

// Files holds samples/*.json (bodies for POST …/events) and the invocations.
//
//go:embed samples/*.json recipes/*.json
var Files embed.FS
