package schema

import (
	"crypto/sha256"
	"sync"
)

// maxCached bounds the memory of compiled schemas: the largest weighs some
// megabytes, usual ones a hundred kilobytes.
const maxCached = 200

// Cache keeps compiled schemas by their text, so nothing in it can be out of
// date. The zero value is empty and ready; it is safe for concurrent use.
type Cache struct {
	mu       sync.Mutex
	compiled map[[sha256.Size]byte]*Schema
}

// Compile is the function [Compile] with a memory.
func (c *Cache) Compile(text []byte) (*Schema, []Fault) {
	hash := sha256.Sum256(text)
	c.mu.Lock()
	s := c.compiled[hash]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, faults := Compile(text)
	if faults != nil {
		return nil, faults
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled == nil || len(c.compiled) >= maxCached {
		c.compiled = map[[sha256.Size]byte]*Schema{}
	}
	c.compiled[hash] = s
	return s, nil
}
