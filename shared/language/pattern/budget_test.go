package pattern

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// listOf joins n values into a JSON list.
func listOf(n int, value func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = value(i)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// steps counts what a pattern on data.a costs with an event's data.
func steps(t *testing.T, values, data string) (Verdict, int) {
	t.Helper()
	p, err := Compile([]byte(`{"data":{"a":`+values+`}}`), "filter")
	if err != nil {
		t.Fatal(err)
	}
	verdict, left := p.judge(decoded(t, `{"a":`+data+`}`), MaxSteps)
	return verdict, MaxSteps - left
}

func TestALongListCostsAValueAFewSteps(t *testing.T) {
	data := listOf(60_000, func(int) string { return `"x"` })
	for _, tt := range []struct{ name, operator string }{
		{"prefix", `{"prefix":"b%d"}`},
		{"suffix", `{"suffix":"b%d"}`},
		{"wildcard as prefix", `{"wildcard":"b%d*"}`},
		{"wildcard as suffix", `{"wildcard":"*b%d"}`},
		{"equals-ignore-case", `{"equals-ignore-case":"b%d"}`},
		{"prefix ignoring case", `{"prefix":{"equals-ignore-case":"b%d"}}`},
		{"suffix ignoring case", `{"suffix":{"equals-ignore-case":"b%d"}}`},
		{"text", `"b%d"`},
		{"number", `%d`},
		{"range", `{"numeric":[">",%d,"<",1e6]}`},
		{"cidr", `{"cidr":"10.%[1]d.0.0/17"}`},
		{"anything-but", `"x",{"anything-but":{"prefix":["b%d","x"]}}`},
	} {
		values := listOf(250, func(i int) string { return fmt.Sprintf(tt.operator, i) })
		verdict, spent := steps(t, values, data)
		if verdict == Costly || spent > 70*60_000 {
			t.Errorf("%s: 250 of them on 60,000 values: verdict %d after %d steps, want at most 70 a value", tt.name, verdict, spent)
		}
	}
}

func TestAMatchEndsWithItsSteps(t *testing.T) {
	many := listOf(60_000, func(int) string { return `"xyz"` })
	objects := listOf(20_000, func(int) string { return `{"b":"x","d":"y"}` })
	for _, tt := range []struct{ name, pattern, data string }{
		{"wildcards", `{"a":` + listOf(2500, func(i int) string { return fmt.Sprintf(`{"wildcard":"*%d*"}`, i) }) + `}`, `{"a":` + many + `}`},
		{"letters beyond ASCII", `{"a":` + listOf(1500, func(i int) string { return fmt.Sprintf(`{"equals-ignore-case":"é%d"}`, i) }) + `}`, `{"a":` + many + `}`},
		{"alternatives", `{"$or":` + listOf(900, func(i int) string { return fmt.Sprintf(`{"a":[%d]}`, i) }) + `}`, `{"a":` + many + `}`},
		{"missing values", `{"a":{"b":[{"exists":false}],"c":[{"exists":false}],"$or":` + listOf(500, func(i int) string { return fmt.Sprintf(`{"d":[%d]}`, i) }) + `}}`, `{"a":` + objects + `}`},
		{"a path twice", `{"a":{"b":` + listOf(2500, func(i int) string { return fmt.Sprintf(`{"wildcard":"*%d*"}`, i) }) + `}}`, `{"a.b":"z","a":` + objects + `}`},
		{"one long text", `{"a":` + listOf(2500, func(i int) string { return fmt.Sprintf(`{"wildcard":"*%d*"}`, i) }) + `}`, `{"a":"` + strings.Repeat("z", 200_000) + `"}`},
	} {
		p, err := Compile([]byte(`{"data":`+tt.pattern+`}`), "filter")
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		e := decoded(t, tt.data)
		if verdict := p.Judge(e); verdict != Costly {
			t.Errorf("%s: verdict %d, want %d (costly)", tt.name, verdict, Costly)
		}
		if p.Match(e) {
			t.Errorf("%s: Match = true of what cannot be told", tt.name)
		}
	}
}

// costlyIndex holds n subscriptions with a costly filter, and one that is cheap.
func costlyIndex(t *testing.T, n int) *Index[int] {
	t.Helper()
	costly, err := Compile([]byte(`{"data":{"a":`+listOf(2500, func(i int) string { return fmt.Sprintf(`{"wildcard":"*%d*"}`, i) })+`}}`), "filter")
	if err != nil {
		t.Fatal(err)
	}
	cheap, err := Compile([]byte(`{"data":{"b":[1]}}`), "filter")
	if err != nil {
		t.Fatal(err)
	}
	x := &Index[int]{}
	for i := range n {
		x.Add(1+i, nil, costly)
	}
	x.Add(0, nil, cheap)
	return x
}

func TestCostlyPatternsShareAPoolAndCheapOnesAreAlwaysAnswered(t *testing.T) {
	x := costlyIndex(t, 30)
	e := decoded(t, `{"a":`+listOf(60_000, func(int) string { return `"xyz"` })+`,"b":1}`)
	verdicts := map[int]Verdict{}
	if _, err := x.Judge(t.Context(), e, func(id int, v Verdict) bool { verdicts[id] = v; return true }); err != nil {
		t.Fatal(err)
	}
	for id := range 31 {
		want := Costly
		if id == 0 {
			want = Yes
		}
		if verdicts[id] != want {
			t.Errorf("subscription %d: verdict %d, want %d", id, verdicts[id], want)
		}
	}
	pool := PoolSteps
	for id, c := range x.entries {
		if id > 0 {
			c.pattern.share(e, &pool)
		}
	}
	if pool != 0 {
		t.Errorf("30 costly patterns left %d steps of the pool, want 0", pool)
	}
}

func TestAnIndexStopsBetweenSubscriptionsWhenItsCallerDoes(t *testing.T) {
	x := costlyIndex(t, 30)
	e := decoded(t, `{"a":`+listOf(60_000, func(int) string { return `"xyz"` })+`,"b":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	found := 0
	checked, err := x.Judge(ctx, e, func(int, Verdict) bool { found++; cancel(); return true })
	if !errors.Is(err, context.Canceled) || found != 1 || checked > 2 {
		t.Errorf("after the first answer: checked %d, found %d, error %v, want the context's error at once", checked, found, err)
	}
}

func TestALookUpThatCostsTooMuchLosesNoSubscription(t *testing.T) {
	x := &Index[int]{}
	for i, values := range []string{
		listOf(60, func(i int) string { return `{"prefix":"` + strings.Repeat("p", i+1) + `q"}` }),
		listOf(60, func(i int) string { return `{"suffix":"q` + strings.Repeat("p", i+1) + `"}` }),
		listOf(200, func(i int) string { return fmt.Sprintf(`{"numeric":[">",%d,"<",%d]}`, i*10, i*10+5) }),
		`["needle"]`, `[{"prefix":"nee"}]`,
	} {
		p, err := Compile([]byte(`{"data":{"a":`+values+`}}`), "filter")
		if err != nil {
			t.Fatal(err)
		}
		x.Add(i, nil, p)
	}
	e := decoded(t, `{"a":`+listOf(60_000, func(i int) string {
		if i == 59_999 {
			return `"needle"`
		}
		return `"` + strings.Repeat("p", 64) + `"`
	})+`}`)
	c := &candidates{}
	c.begin(len(x.entries))
	if c.visit(&e.tree, x.root, e.root); c.left >= 0 {
		t.Errorf("the look-up has %d steps left, want it to be given up: the test shows nothing", c.left)
	}
	if ids := found(x, e); fmt.Sprint(ids) != "[3 4]" {
		t.Errorf("found %v, want [3 4]", ids)
	}
}
