package pattern

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// words draws short texts of few letters, so that they meet often.
func word(r *rand.Rand) string {
	letters := []string{"a", "b", "A", `\"`, "B", "é", "É", "k", "K", "*", "1"}
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(letters[r.IntN(len(letters))])
	}
	return b.String()
}

// operand draws one value of a list.
func operand(r *rand.Rand) string {
	w := word(r)
	starless := strings.ReplaceAll(w, "*", `\\*`)
	ip := fmt.Sprintf("10.%d.%d.%d", r.IntN(3), r.IntN(3)*64, r.IntN(2)*16)
	switch r.IntN(13) {
	case 0:
		return `{"prefix":"` + w + `"}`
	case 1:
		return `{"suffix":"` + w + `"}`
	case 2:
		return `{"equals-ignore-case":"` + w + `"}`
	case 3:
		return `{"prefix":{"equals-ignore-case":"` + w + `"}}`
	case 4:
		return `{"suffix":{"equals-ignore-case":"` + w + `"}}`
	case 5:
		return `{"wildcard":"` + starless + `*"}`
	case 6:
		return `{"wildcard":"*` + starless + `"}`
	case 7:
		return fmt.Sprintf(`{"cidr":"%s/%d"}`, ip, 4+r.IntN(28))
	case 8:
		return fmt.Sprintf(`{"cidr":"a%02x:%x::/%d"}`, r.IntN(3), r.IntN(3), 4+r.IntN(124))
	case 9:
		lo := r.IntN(40)
		return fmt.Sprintf(`{"numeric":["%s",%d,"%s",%d]}`, []string{">", ">="}[r.IntN(2)], lo, []string{"<", "<="}[r.IntN(2)], lo+1+r.IntN(4))
	case 10:
		return `{"anything-but":{"prefix":["z","` + w + `x"]}}`
	case 11:
		return fmt.Sprint(r.IntN(40))
	}
	return `"` + ip + `"`
}

// met draws a value that operands may meet.
func met(r *rand.Rand) string {
	switch r.IntN(5) {
	case 0:
		return fmt.Sprintf("%d.5", r.IntN(40))
	case 1:
		return fmt.Sprint(r.IntN(40))
	case 2:
		return fmt.Sprintf(`"10.%d.%d.%d"`, r.IntN(3), r.IntN(3)*64, r.IntN(2)*16)
	case 3:
		return fmt.Sprintf(`"a%02x:%x::%x"`, r.IntN(3), r.IntN(3), r.IntN(3))
	}
	return `"` + word(r) + `"`
}

// TestAListIsMetWhereOneOfItsValuesIs holds long lists, which are looked up, against their values one by one.
func TestAListIsMetWhereOneOfItsValuesIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	matches := 0
	for range 3_000 {
		kind := r.Uint64()
		var values []string
		for range 9 + r.IntN(20) {
			values = append(values, operand(rand.New(rand.NewPCG(kind, r.Uint64()))))
		}
		if r.IntN(2) == 0 { // all of one kind
			first := values[0]
			for i := range values {
				for operatorOf(values[i]) != operatorOf(first) {
					values[i] = operand(r)
				}
			}
		}
		whole, err := Compile([]byte(`{"data":[`+strings.Join(values, ",")+`]}`), "filter")
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			data := met(r)
			e := decoded(t, data)
			got, want := whole.Match(e), oneByOne(t, values, e)
			if got != want {
				t.Fatalf("%v on %s: %v, one by one %v", values, data, got, want)
			}
			var x Index[int]
			x.Add(1, nil, whole)
			if ids := found(&x, e); (len(ids) == 1) != want {
				t.Fatalf("%v on %s: the index found %v, want %v", values, data, ids, want)
			}
			if got {
				matches++
			}
		}
	}
	if matches < 5_000 {
		t.Errorf("%d matches, want some thousands: the values hardly ever meet", matches)
	}
}

func operatorOf(value string) string {
	name, _, _ := strings.Cut(value, ":")
	return name + fmt.Sprint(strings.Contains(value, `{"equals-ignore-case`)) + fmt.Sprint(strings.HasSuffix(value, `*"}`))
}

// oneByOne says whether one of values is met. What compares numbers in the list decides how all read numbers.
func oneByOne(t *testing.T, values []string, e *Event) bool {
	t.Helper()
	numeric := false
	var tests []test
	for _, value := range values {
		p, err := Compile([]byte(`{"data":[`+value+`]}`), "filter")
		if err != nil {
			t.Fatal(err)
		}
		c := p.branches[0].fields[0].cond
		numeric, tests = numeric || c.numeric, append(tests, c.tests...)
	}
	v := &e.nodes[e.member(e.root, "data")]
	for i := range tests {
		if tests[i].matches(v, numeric) {
			return true
		}
	}
	return false
}
