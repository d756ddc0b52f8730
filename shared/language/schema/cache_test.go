package schema_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/postino/postino/shared/language/schema"
)

// remembered compiles by a cache, within a budget.
func remembered(t *testing.T, cache *schema.Cache, text string, budget int) (s *schema.Schema, faults []schema.Fault, spent int) {
	t.Helper()
	left := budget
	s, faults, err := cache.Compile(t.Context(), "acme", []byte(text), &left)
	if err != nil {
		t.Fatal(err)
	}
	return s, faults, budget - left
}

func TestTheCacheKeepsWhatItCompiled(t *testing.T) {
	var cache schema.Cache
	first, _, spent := remembered(t, &cache, order, schema.MaxCost)
	again, _, nothing := remembered(t, &cache, order, schema.MaxCost)
	other, faults, _ := remembered(t, &cache, `{"type":"null"}`, schema.MaxCost)
	if first == nil || first != again || other == first || faults != nil {
		t.Error("the cache compiles again, or confuses schemas")
	}
	if spent == 0 || nothing != 0 {
		t.Errorf("compiling cost %d, remembering %d, want something and nothing", spent, nothing)
	}
	if _, faults, _ := remembered(t, &cache, `{"type":"x"}`, schema.MaxCost); faults == nil {
		t.Error("the cache forgives")
	}
}

func large(i int) string {
	return fmt.Sprintf(`{"title":"%d","allOf":[%s]}`, i, list(1990, "{}"))
}

func TestTheCacheIsBoundedByBytes(t *testing.T) {
	var cache schema.Cache
	before := heap()
	for i := range 80 {
		if _, faults, _ := remembered(t, &cache, large(i), schema.MaxCost); faults != nil {
			t.Fatal(faults)
		}
	}
	if taken := heap() - before; taken > 128<<20 {
		t.Errorf("80 large schemas of one tenant take %d MB, want at most 128", taken>>20)
	}
	runtime.KeepAlive(&cache)
}

func TestCompilingIsTakenOutOfTheRequestsBudget(t *testing.T) {
	var cache schema.Cache
	budget, compiled := schema.MaxCost, 0
	for i := range 210 {
		_, faults, err := cache.Compile(t.Context(), "acme", []byte(large(i)), &budget)
		if err != nil {
			t.Fatal(err)
		}
		if faults != nil {
			if !strings.Contains(faults[0].Detail, "fewer types") {
				t.Errorf("refused with %q, want the cure", faults[0].Detail)
			}
			break
		}
		compiled++
	}
	if compiled == 0 || compiled > 40 {
		t.Errorf("one request compiled %d large schemas, want at most 40", compiled)
	}
}

func TestNobodyCompilesForWhoIsGone(t *testing.T) {
	var cache schema.Cache
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	budget := schema.MaxCost
	if _, _, err := cache.Compile(ctx, "acme", []byte(order), &budget); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestASchemaHasABoundedNumberOfSchemas(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		taken bool
	}{
		"objects at the limit": {`{"allOf":[` + list(schema.MaxSchemas-1, "{}") + `]}`, true},
		"objects":              {`{"allOf":[` + list(schema.MaxSchemas, "{}") + `]}`, false},
		"truths":               {`{"allOf":[` + list(schema.MaxSchemas, "true") + `]}`, false},
		"nested":               {`{"properties":{"enum":{"anyOf":[` + list(schema.MaxSchemas, "false") + `]}}}`, false},
	} {
		if _, faults := schema.Compile([]byte(tt.text)); (faults == nil) != tt.taken {
			t.Errorf("%s: faults %v, want it taken: %v", name, faults, tt.taken)
		}
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestASchemaWeighsWhatItTakesWithinAFactorOfTwo(t *testing.T) {
	properties := make([]string, 900)
	for i := range properties {
		properties[i] = fmt.Sprintf(`"p%d":{"type":"string","minLength":1}`, i)
	}
	for name, text := range map[string]string{
		"order":      order,
		"small":      `{"type":"object"}`,
		"empties":    large(0),
		"properties": `{"properties":{` + strings.Join(properties, ",") + `}}`,
		"enum":       `{"enum":[` + words(6000) + `]}`,
		"patterns":   `{"patternProperties":{` + patterns(500) + `}}`,
		"repeats":    `{"patternProperties":{"^p([a-z]{1,90}x*){10}$":true,"^q([a-z]{1,90}x*){10}$":true}}`,
	} {
		kept := make([]*schema.Schema, 5)
		before := heap()
		for i := range kept {
			s, faults := schema.Compile([]byte(text))
			if faults != nil {
				t.Fatalf("%s: %v", name, faults)
			}
			kept[i] = s
		}
		taken := (heap() - before) / len(kept)
		if weight := kept[0].Weight(); taken > 2*weight || weight > 2*taken {
			t.Errorf("%s: weighs %d, takes %d", name, weight, taken)
		}
		runtime.KeepAlive(kept)
	}
}
