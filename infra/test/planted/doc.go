// Package planted proves that secrets do not leak: its test plants recognizable
// secrets of every kind, uses the whole API and many failures, and then
// searches all responses, logs, metrics and the raw data, in every encoding
// that it can decode.
package planted
