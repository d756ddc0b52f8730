// Package planted proves that secrets are seen nowhere but where they belong:
// its test plants recognisable ones of every kind, exercises the whole API and
// many failures, and then searches all answers, logs, metrics and the raw data
// for them, in every form that it can undo.
package planted
