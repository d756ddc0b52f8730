package pattern

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// naive says which subscriptions match, by asking each: types, then the pattern by the search that is used for events
// that spell a path twice, which does as event-ruler does and shares nothing with the index or the tree of steps.
func naive(e *Event, subs map[int]subscription) []int {
	var ids []int
	for id, s := range subs {
		matches := s.pattern == nil
		if !matches {
			for _, b := range s.pattern.branches {
				matches = matches || b.twice(&matching{Event: e, left: MaxSteps})
			}
		}
		if matches && TypesMatch(s.types, e.typ) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

type subscription struct {
	types   []string
	pattern *Pattern
}

func found(x *Index[int], e *Event) []int {
	var ids []int
	x.Match(e, func(id int) bool { ids = append(ids, id); return true })
	slices.Sort(ids)
	return ids
}

// compiled returns a random pattern, nil now and then.
func (g *generator) compiled() *Pattern {
	if g.chance(10) {
		return nil
	}
	for {
		if p, err := Compile([]byte(g.pattern()), "filter"); err == nil {
			return p
		}
	}
}

func (g *generator) types() []string {
	return pick(g, [][]string{nil, nil, {"a"}, {"a.*", "b"}, {"*"}, {"postino.*"}, {"postino.a", "b"}})
}

func TestIndexAgreesWithTheNaiveMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGenerator(rapid.Uint64().Draw(t, "seed"))
		var x Index[int]
		subs := map[int]subscription{}
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			id := g.IntN(30)
			if g.chance(25) {
				_, want := subs[id]
				if got := x.Remove(id); got != want {
					t.Fatalf("Remove(%d) = %v, want %v", id, got, want)
				}
				delete(subs, id)
				continue
			}
			s := subscription{g.types(), g.compiled()}
			subs[id] = s
			x.Add(id, s.types, s.pattern)
		}
		if x.Len() != len(subs) {
			t.Fatalf("Len() = %d, want %d", x.Len(), len(subs))
		}
		for range 10 {
			_, env := g.pair()
			e, err := Decode(env)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := found(&x, e), naive(e, subs); !slices.Equal(got, want) {
				t.Fatalf("%s\n got %v\nwant %v", env.json(), got, want)
			}
		}
		for id := range subs {
			x.Remove(id)
		}
		if x.root == nil {
			return
		}
		if len(x.always.slots) > 0 || x.root.values != nil || len(x.root.kids) > 0 {
			t.Fatal("something is left in the empty index")
		}
	})
}

// TestPatternsAgreeWithTheSearch holds the two ways to match one pattern against each other, on events bent to it.
func TestPatternsAgreeWithTheSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGenerator(rapid.Uint64().Draw(t, "seed"))
		for range 50 {
			text, env := g.pair()
			p, err := Compile([]byte(text), "filter")
			if err != nil {
				continue
			}
			e, err := Decode(env)
			if err != nil {
				t.Fatal(err)
			}
			var x Index[int]
			x.Add(1, nil, p)
			e.typ = "a"
			want := slices.ContainsFunc(p.branches, func(b *branch) bool { return b.twice(&matching{Event: e, left: MaxSteps}) })
			if got := p.Match(e); got != want {
				t.Fatalf("Match(%s, %s) = %v, want %v", text, env.json(), got, want)
			}
			if got := found(&x, e); (len(got) == 1) != want {
				t.Fatalf("index: %s on %s: %v, want %v", text, env.json(), got, want)
			}
		}
	})
}

func TestAWriterDoesNotDisturbMatching(t *testing.T) {
	var x Index[int]
	g := newGenerator(5)
	e := decoded(t, `{"x":"y"}`)
	p, _ := Compile([]byte(`{"data":{"x":["y"]}}`), "")
	x.Add(-1, nil, p)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 500 {
				if ids := found(&x, e); !slices.Contains(ids, -1) {
					t.Errorf("found %v, without -1", ids)
				}
			}
		})
	}
	for i := range 2000 {
		if x.Add(i%50, g.types(), g.compiled()); i%3 == 0 {
			x.Remove(g.IntN(50))
		}
	}
	readers.Wait()
}

func TestYieldMayChangeTheIndex(t *testing.T) {
	var x Index[string]
	x.Add("a", nil, nil)
	x.Add("b", nil, nil)
	n := x.Match(decoded(t, `1`), func(id string) bool {
		x.Remove(id)
		return false
	})
	if n != 1 || x.Len() != 1 {
		t.Errorf("checked %d, left %d, want 1 and 1", n, x.Len())
	}
}

func TestAPopularValueIsTakenOnceByEachEvent(t *testing.T) {
	var x Index[int]
	p, _ := Compile([]byte(`{"data":{"x":["y"]}}`), "")
	for i := range 20 {
		x.Add(i, nil, p)
	}
	e := decoded(t, `{"x":["y","y","y"]}`)
	for range 3 {
		if n := x.Match(e, func(int) bool { return true }); n != 20 {
			t.Errorf("%d candidates, want 20", n)
		}
	}
	c, b := &candidates{}, &bucket{make([]int32, 9)}
	c.begin(1)
	if c.take(b); !c.taken[b] {
		t.Error("a long bucket would be read again")
	}
}

func TestTheZeroIndexIsEmpty(t *testing.T) {
	var x Index[int]
	if x.Remove(1) || x.Len() != 0 || x.Match(decoded(t, `1`), func(int) bool { return true }) != 0 {
		t.Error("the zero index holds something")
	}
}

// TestCandidatesFollowMatchesNotSubscriptions counts what Match checks: it must not grow with what cannot match.
func TestCandidatesFollowMatchesNotSubscriptions(t *testing.T) {
	for _, n := range []int{100, 1000, 10_000} {
		x, e := filled(t, n)
		ids := found(x, e)
		if checked := x.Match(e, func(int) bool { return true }); len(ids) != 10 || checked > 64 {
			t.Errorf("of %d, %d match and %d were checked, want 10 and at most 64", n, len(ids), checked)
		}
	}
}

// filled returns an index of n subscriptions and a 2 KB event that ten of them match. Each has a selective condition:
// a user's id given exactly, a prefix, a range of amounts, an address range, or a rare field that exists; and a
// second one that most events meet.
func filled(t testing.TB, n int) (*Index[int], *Event) {
	t.Helper()
	x := &Index[int]{}
	for i := range n {
		types, text := mixed(i, n)
		p, err := Compile([]byte(text), "filter")
		if err != nil {
			t.Fatal(err)
		}
		x.Add(i, types, p)
	}
	e, err := Decode(sample)
	if err != nil {
		t.Fatal(err)
	}
	return x, e
}

// mixed returns the i-th of n subscriptions. The first ten match the sample, whatever n is.
func mixed(i, n int) ([]string, string) {
	types := []string{"order.paid"}
	if i%3 == 0 {
		types = nil
	}
	hit := i < 10
	value := func(match, other string) string {
		if hit {
			return match
		}
		return fmt.Sprintf(other, i)
	}
	switch i % 5 {
	case 0:
		return types, `{"data":{"user":{"id":["` + value("u-sample", "u-%d") + `"]},"currency":[{"anything-but":"USD"}]}}`
	case 1:
		return types, `{"data":{"sku":[{"prefix":"` + value("SKU-sample", "SKU-%d-") + `"}],"total":[{"numeric":[">",1]}]}}`
	case 2:
		lo := 1000 + float64(i)
		if hit {
			lo = 499
		}
		return types, fmt.Sprintf(`{"data":{"total":[{"numeric":[">=",%g,"<",%g]}],"user":{"plan":["pro","max"]}}}`, lo, lo+1)
	case 3:
		return types, `{"data":{"flags":{"` + value("sample", "f%d") + `":[{"exists":true}]},"currency":["EUR"]},"source":["/shop"]}`
	}
	return types, `{"data":{"session":["` + value("s-sample", "s-%d") + `"],"note":[{"exists":false}],"user":{"id":[{"anything-but":{"prefix":"test-"}}]}}}`
}

// sample is an event of about 2 KB.
var sample = func() Envelope {
	var items []string
	for i := range 14 {
		items = append(items, fmt.Sprintf(`{"name":"Item number %d","price":%d.95,"quantity":%d,"tags":["new","sale"],"options":{"size":"L","gift":false}}`, i, i*7, i+1))
	}
	data := `{"user":{"id":"u-sample","plan":"pro","email":"jane.doe@example.com","address":{"street":"1 Main Street","city":"Springfield","zip":"01234"}},` +
		`"sku":"SKU-sample-1","total":499.5,"currency":"EUR","session":"s-sample","flags":{"sample":true,"beta":false},` +
		`"ip":"10.1.2.3","items":[` + strings.Join(items, ",") + `],"comment":"Please leave it with the neighbour at number three, or ring twice: \"thanks\" (\u2603)","coupon":null}`
	return Envelope{ID: "evt_1", Source: "/shop", Type: "order.paid", Time: "2026-01-02T03:04:05Z", Subject: "u-sample", HasSubject: true, Data: json.RawMessage(data)}
}()

func TestTheSampleIsAboutTwoKilobytes(t *testing.T) {
	if n := len(sample.Data); n < 1900 || n > 2200 {
		t.Errorf("%d bytes", n)
	}
}

func TestSpansFindWhatIsAround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		type span struct{ lo, hi float64 }
		held := map[int32][]span{}
		for i := range rapid.IntRange(0, 100).Draw(t, "changes") {
			slot := int32(rapid.IntRange(0, 20).Draw(t, "slot"))
			if list := held[slot]; len(list) > 0 && i%3 == 0 {
				s.remove(list[len(list)-1].lo, slot)
				held[slot] = list[:len(list)-1]
				continue
			}
			if len(held[slot]) > 0 && i%2 == 0 {
				continue // most slots have one
			}
			lo := float64(rapid.IntRange(0, 30).Draw(t, "lo"))
			for _, other := range held[slot] {
				if other.lo == lo {
					lo = 1000 + float64(i)
				}
			}
			hi := rapid.SampledFrom([]float64{lo + 1, lo + 5, math.MaxFloat64}).Draw(t, "hi")
			s.add(lo, hi, slot)
			held[slot] = append(held[slot], span{lo, hi})
		}
		for f := range 32 {
			c := &candidates{}
			c.begin(21)
			s.find(c, float64(f))
			slices.Sort(c.slots)
			var want []int32
			for slot := range int32(21) {
				if slices.ContainsFunc(held[slot], func(s span) bool { return s.lo <= float64(f) && float64(f) <= s.hi }) {
					want = append(want, slot)
				}
			}
			if !slices.Equal(c.slots, want) {
				t.Fatalf("around %d: %v, want %v", f, c.slots, want)
			}
		}
	})
}
