package schema

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/postino/postino/shared/language/weighed"
)

// Bounds of a [Cache], in bytes as schemas weigh. A function has 512 MB.
const (
	maxCached = 64 << 20
	maxOwned  = 16 << 20 // of one tenant, when others want the rest
)

// compileAtOnce bounds how many schemas a cache compiles at the same time: each may
// take some ten times of what it weighs.
const compileAtOnce = 2

// Cache keeps compiled schemas by their text, so nothing in it can be out of
// date. The zero value is empty and ready; it is safe for concurrent use.
type Cache struct {
	once  sync.Once
	kept  *weighed.Cache[[sha256.Size]byte, *Schema]
	turns chan struct{}
}

func (c *Cache) start() {
	c.kept = weighed.New[[sha256.Size]byte, *Schema](maxCached, maxOwned, nil)
	c.turns = make(chan struct{}, compileAtOnce)
}

// Compile is the function [Compile] with a memory, for one tenant. What it does not
// remember it takes out of budget, which is that of [Schema.Check]; a schema that
// costs more than is left is at fault. The error is ctx's, which ends the waiting
// for others who compile.
func (c *Cache) Compile(ctx context.Context, tenant string, text []byte, budget *int) (*Schema, []Fault, error) {
	c.once.Do(c.start)
	hash := sha256.Sum256(text)
	if s, ok := c.kept.Get(hash); ok {
		return s, nil, ctx.Err()
	}
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if s, ok := c.kept.Get(hash); ok { // somebody was first
		return s, nil, ctx.Err()
	}
	s, faults := compile(text, budget)
	if faults == nil {
		c.kept.Put(tenant, hash, s, s.Weight())
	}
	return s, faults, ctx.Err()
}
