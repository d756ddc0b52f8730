// Package clients proves that clients generated from the OpenAPI document work:
// its test makes one in Go and one in TypeScript with the commands of
// docs/api.md, compiles them, and has each play the README's first callback.
package clients
