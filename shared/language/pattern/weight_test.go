package pattern

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// shapes are patterns that take memory in different ways.
var shapes = map[string]string{
	"small":          `{"type":["order.paid"]}`,
	"usual":          `{"type":["order.paid"],"data":{"cabin":[{"anything-but":"award"}],"legs":{"to":["LHR","JFK"]},"total":[{"numeric":[">",0,"<=",5]}]}}`,
	"texts":          `{"data":{"a":` + listOf(4000, func(i int) string { return fmt.Sprintf(`"text-%d"`, i) }) + `}}`,
	"numbers":        `{"data":{"a":` + listOf(8000, func(i int) string { return fmt.Sprint(i) }) + `}}`,
	"prefixes":       `{"data":{"a":` + listOf(2500, func(i int) string { return fmt.Sprintf(`{"prefix":"%d-"}`, i) }) + `}}`,
	"suffixes":       `{"data":{"a":` + listOf(2500, func(i int) string { return fmt.Sprintf(`{"suffix":"-%d"}`, i) }) + `}}`,
	"ignoring case":  `{"data":{"a":` + listOf(1500, func(i int) string { return fmt.Sprintf(`{"equals-ignore-case":"TEXT-%d"}`, i) }) + `}}`,
	"wildcards":      `{"data":{"a":` + listOf(2500, func(i int) string { return fmt.Sprintf(`{"wildcard":"*%d*"}`, i) }) + `}}`,
	"addresses":      `{"data":{"a":` + listOf(3000, func(i int) string { return fmt.Sprintf(`"10.0.%d.%d"`, i/250, i%250) }) + `}}`,
	"networks":       `{"data":{"a":` + listOf(2000, func(i int) string { return fmt.Sprintf(`{"cidr":"10.%d.%d.0/25"}`, i/250, i%250) }) + `}}`,
	"ranges":         `{"data":{"a":` + listOf(1500, func(i int) string { return fmt.Sprintf(`{"numeric":[">",%d,"<",%d]}`, 2*i, 2*i+1) }) + `}}`,
	"anything but":   `{"data":{"a":[{"anything-but":` + listOf(4000, func(i int) string { return fmt.Sprintf(`"text-%d"`, i) }) + `}]}}`,
	"alternatives":   `{"$or":` + listOf(1000, func(i int) string { return fmt.Sprintf(`{"data":{"a":[%d]}}`, i) }) + `}`,
	"deep and wide":  `{"data":{` + deep(30, 3) + `,"$or":` + listOf(60, func(i int) string { return fmt.Sprintf(`{"x":[%d]}`, i) }) + `}}`,
	"many fields":    `{"data":{` + strings.TrimSuffix(manyFields(MaxFields), ",") + `}}`,
	"one long text":  `{"data":{"a":["` + strings.Repeat("x", 60_000) + `"]}}`,
	"three in three": `{"data":{"a":[1,2,3],"b":["x","y","z"],"c":[{"prefix":"a"},{"exists":false}]}}`,
}

// heap returns the bytes in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func near(weight, taken int) bool { return taken <= 2*weight && weight <= 2*taken }

func TestAPatternWeighsWhatItTakesWithinAFactorOfTwo(t *testing.T) {
	for name, text := range shapes {
		n := max(4, 2<<20/len(text)/16)
		kept := make([]*Pattern, n)
		before := heap()
		for i := range kept {
			p, err := Compile([]byte(text), "filter")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kept[i] = p
		}
		taken := (heap() - before) / n
		if weight := kept[0].Weight(); !near(weight, taken) {
			t.Errorf("%s: weighs %d, takes %d", name, weight, taken)
		}
		runtime.KeepAlive(kept)
	}
}

func TestAnIndexWeighsWhatItTakesWithinAFactorOfTwo(t *testing.T) {
	for name, text := range shapes {
		x, n := &Index[int]{}, max(4, 2<<20/len(text)/16)
		before := heap()
		for i := range n {
			p, err := Compile([]byte(text), "filter")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			x.Add(i, []string{fmt.Sprintf("type.%d", i%50), "other"}[:i%3%2+i%2*0], p)
		}
		taken := heap() - before
		if weight := x.Weight(); !near(weight, taken) {
			t.Errorf("%s: %d of them weigh %d, take %d", name, n, weight, taken)
		}
		for i := range n {
			x.Remove(i)
		}
		if x.Weight() != 0 {
			t.Errorf("%s: an empty index weighs %d", name, x.Weight())
		}
	}
}
