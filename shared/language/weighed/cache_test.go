package weighed_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/postino/postino/shared/language/weighed"
)

const kb = 1 << 10

// put keeps a value named as its key.
func put(c *weighed.Cache[string, string], owner, key string, bytes int) bool {
	return c.Put(owner, key, key, bytes-weighed.Overhead)
}

func has(c *weighed.Cache[string, string], key string) bool {
	_, ok := c.Get(key)
	return ok
}

func TestTheWeightStaysBelowTheLimit(t *testing.T) {
	c := weighed.New[string, string](100*kb, 50*kb, nil)
	for i := range 5000 {
		put(c, fmt.Sprint("o", rand.IntN(20)), fmt.Sprint(rand.IntN(500)), kb+rand.IntN(20*kb))
		if c.Weight() > 100*kb {
			t.Fatalf("after %d values the cache weighs %d, want at most %d", i+1, c.Weight(), 100*kb)
		}
	}
	total := 0
	for i := range 20 {
		total += c.Owned(fmt.Sprint("o", i))
	}
	if total != c.Weight() {
		t.Errorf("the owners have %d together, the cache %d", total, c.Weight())
	}
}

func TestWhoHasMoreThanItsSharePaysFirst(t *testing.T) {
	c := weighed.New[string, string](100*kb, 30*kb, nil)
	for i := range 9 {
		put(c, "quiet", fmt.Sprint("quiet", i), kb)
	}
	for i := range 1000 {
		put(c, "greedy", fmt.Sprint("greedy", i), 10*kb)
	}
	for i := range 9 {
		if !has(c, fmt.Sprint("quiet", i)) {
			t.Errorf("the quiet owner's value %d was pushed out by the greedy one", i)
		}
	}
	if got := c.Owned("greedy"); got < 60*kb {
		t.Errorf("the greedy owner has %d, want what nobody else takes", got)
	}
	for i := range 10 {
		put(c, fmt.Sprint("new", i%4), fmt.Sprint("new", i), 7*kb)
	}
	for i := range 10 {
		if !has(c, fmt.Sprint("new", i)) {
			t.Errorf("value %d of a new owner within its share was pushed out", i)
		}
	}
}

func TestTheOneUnusedForLongestGoesFirst(t *testing.T) {
	var dropped []string
	c := weighed.New[string, string](10*kb, 10*kb, func(v string) { dropped = append(dropped, v) })
	for _, key := range []string{"a", "b", "c"} {
		put(c, "o", key, 3*kb)
	}
	has(c, "a")
	put(c, "o", "d", 3*kb)
	put(c, "o", "c", 4*kb) // in its own place, and b is gone already
	if want := []string{"b", "c"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %q, want %q", dropped, want)
	}
}

func TestWhatWeighsMoreThanAShareIsNotKept(t *testing.T) {
	c := weighed.New[string, string](100*kb, 30*kb, nil)
	put(c, "o", "small", kb)
	if put(c, "o", "large", 31*kb) || has(c, "large") || !has(c, "small") {
		t.Error("a value beyond the share was kept, or pushed out another")
	}
}

func TestManyMayUseACacheAtOnce(t *testing.T) {
	c := weighed.New[int, int](64*kb, 32*kb, nil)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 2000 {
				c.Put(fmt.Sprint(w%3), i%97, i%97, i%3000)
				if v, ok := c.Get(i % 31); ok && v != i%31 {
					t.Errorf("key %d has %d", i%31, v)
				}
			}
		})
	}
	all.Wait()
}
