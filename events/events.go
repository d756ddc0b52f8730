// Package events embeds the samples in this folder: events to publish, and one
// invocation for each function.
//
// The invocations are what Lambda hands the functions, so that
// `sam local invoke Ingest -e events/ingest.json` tries one; those of the API
// want your admin key. A test replays them as one story, in which each stage
// must send what the next one's invocation carries. After a change of messages
// `go test ./events -update` writes those anew.
package events

import "embed"

// Files holds samples/*.json (bodies for POST …/events) and recipes/*.json.
//
//go:embed samples/*.json recipes/*.json
var Files embed.FS
