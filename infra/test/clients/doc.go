// Package clients proves that clients generated from the OpenAPI document work:
// its tests make them with the commands of docs/api.md, compile them, and have
// each play the README's first callback. Linters judge the document.
package clients
