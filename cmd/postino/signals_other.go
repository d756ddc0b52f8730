//go:build !unix

package main

// takeFileSizeErrors does nothing where files have no such limit.
func takeFileSizeErrors() {}
