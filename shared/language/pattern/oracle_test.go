package pattern

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

// judge asks event-ruler about pairs of rules and events.
func judge(t *testing.T, pairs [][2]string, args ...string) []string {
	t.Helper()
	args = append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", testserver.Require(t, "POSTINO_RULER_CLASSPATH"), "oracle/Oracle.java"}, args...)
	var answers []string
	var shards [2]chan []string
	for i := range shards {
		shards[i] = make(chan []string, 1)
		go func() { shards[i] <- ask(t, args, pairs[i*len(pairs)/len(shards):(i+1)*len(pairs)/len(shards)]) }()
	}
	for i := range shards {
		answers = append(answers, <-shards[i]...)
	}
	if len(answers) != len(pairs) {
		t.Fatalf("the oracle answered %d of %d pairs", len(answers), len(pairs))
	}
	return answers
}

// ask runs java on some pairs.
func ask(t *testing.T, args []string, pairs [][2]string) []string {
	if len(pairs) == 0 {
		return nil
	}
	var in, out, stderr bytes.Buffer
	for _, pair := range pairs {
		in.WriteString(pair[0] + "\n" + pair[1] + "\n")
	}
	java := exec.CommandContext(t.Context(), "java", args...)
	java.Stdin, java.Stdout, java.Stderr = &in, &out, &stderr
	if err := java.Run(); err != nil {
		t.Errorf("oracle: %v\n%s", err, stderr.String())
		return nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// ours says what this package makes of a pattern and an event, in the oracle's words.
func ours(t *testing.T, pattern string, env Envelope) string {
	t.Helper()
	p, err := Compile([]byte(pattern), "filter")
	if err != nil {
		return "E " + err.Error()
	}
	e, err := Decode(env)
	if err != nil {
		t.Errorf("Decode(%s): %v", env.json(), err)
		return "?"
	}
	if p.Match(e) {
		return "1"
	}
	return "0"
}

// Verdicts are what we say to random pairs of patterns and events.
type verdicts struct {
	pairs   [][2]string
	events  []Envelope // of the pairs
	ours    []string
	refused int // patterns, not in pairs
}

// accepted draws pairs until Compile took n of the patterns.
func accepted(t *testing.T, g *generator, n int) (v verdicts) {
	for len(v.pairs) < n {
		pattern, env := g.pair()
		answer := ours(t, pattern, env)
		if answer[0] == 'E' {
			v.refused++
			continue
		}
		v.pairs, v.events, v.ours = append(v.pairs, [2]string{pattern, env.json()}), append(v.events, env), append(v.ours, answer)
	}
	return v
}

// TestRandomPairsAgreeWithEventRuler compares POSTINO_RULER_PAIRS (10,000, and 100,000 with POSTINO_PROVE) accepted
// patterns, random from POSTINO_RULER_SEED (1), with event-ruler. Patterns that we refuse are not counted.
func TestRandomPairsAgreeWithEventRuler(t *testing.T) {
	testserver.Require(t, "POSTINO_RULER_CLASSPATH")
	usual := uint64(fewPairs)
	if os.Getenv("POSTINO_PROVE") != "" {
		usual = 100_000
	}
	want := int(setting(t, "POSTINO_RULER_PAIRS", usual))
	seed := setting(t, "POSTINO_RULER_SEED", 1)
	var halves [2]verdicts
	var both sync.WaitGroup
	for i := range halves {
		both.Go(func() { halves[i] = accepted(t, newGenerator(2*seed+uint64(i)), (want+i)/2) })
	}
	both.Wait()
	pairs, answers := append(halves[0].pairs, halves[1].pairs...), append(halves[0].ours, halves[1].ours...)
	refused := halves[0].refused + halves[1].refused
	theirs := judge(t, pairs)
	var doubts []int
	for i := range pairs {
		if answers[i] != theirs[i] {
			doubts = append(doubts, i)
		}
	}
	confirmed := otherwise(t, pairs, answers, doubts)
	differences := 0
	for _, i := range doubts {
		if !confirmed[i] {
			if differences++; differences <= 20 {
				t.Errorf("pattern %s\nevent   %s\nours %s, event-ruler %s", pairs[i][0], pairs[i][1], answers[i], theirs[i])
			}
		}
	}
	matched := 0
	for _, answer := range theirs {
		if answer == "1" {
			matched++
		}
	}
	misread(t, pairs[:min(len(pairs), fewPairs)], append(halves[0].events, halves[1].events...), theirs)
	t.Logf("%d pairs compared, %d matched, %d differences; event-ruler contradicted itself %d times; %d patterns refused by us",
		len(pairs), matched, differences, len(doubts)-differences, refused)
}

// fewPairs are enough to find every misreading of the table below.
const fewPairs = 10_000

// misreadings are bugs, planted into patterns: one operator is taken for another, or its bound for a wider one.
var misreadings = map[string]*strings.Replacer{
	"below takes its bound":        strings.NewReplacer(`"<"`, `"<="`),
	"above takes its bound":        strings.NewReplacer(`">"`, `">="`),
	"a suffix is a prefix":         strings.NewReplacer(`"suffix"`, `"prefix"`),
	"a prefix is the whole":        strings.NewReplacer(`"prefix"`, `"equals-ignore-case"`),
	"case matters not in prefixes": strings.NewReplacer(`"equals-ignore-case"`, `"prefix"`),
	"what is absent exists":        strings.NewReplacer(`true`, `false`),
	"a network is everything":      strings.NewReplacer(`/8"`, `/0"`, `/24"`, `/0"`, `/28"`, `/0"`, `/31"`, `/0"`, `/16"`, `/0"`, `10.0.0.7`, `0.0.0.0`, `10.0.0.0`, `0.0.0.0`, `192.168.0.0`, `0.0.0.0`),
	"a star takes no slash":        strings.NewReplacer(`"wildcard"`, `"equals-ignore-case"`),
	"anything but is anything":     strings.NewReplacer(`"anything-but"`, `"prefix"`),
}

// misread holds that so many pairs find each planted misreading: another verdict than event-ruler's.
func misread(t *testing.T, pairs [][2]string, events []Envelope, theirs []string) {
	t.Helper()
	for name, plant := range misreadings {
		found := 0
		for i, pair := range pairs {
			if read := plant.Replace(pair[0]); read != pair[0] {
				if answer := ours(t, read, events[i]); answer[0] != 'E' && answer != theirs[i] {
					found++
				}
			}
		}
		if found == 0 {
			t.Errorf("no pair of %d shows that %s", len(pairs), name)
		}
		t.Logf("%s: shown by %d pairs", name, found)
	}
}

// otherwise asks event-ruler in other ways about the pairs in doubt, and says to which it then gives our answer:
//
//   - by its older matcher: the newer one loses values outside an array when an event spells one path twice, as in
//     {"a.b": 1, "a": [{"b": 2}]};
//   - about the alternatives of the pattern one by one: a few lists make its automaton lose or invent a match, such as
//     ["a", {"numeric": [">", -1, "<", 1]}, {"wildcard": "*b"}] on "a".
func otherwise(t *testing.T, pairs [][2]string, ours []string, doubts []int) map[int]bool {
	t.Helper()
	var older, single [][2]string
	var of []int
	for _, i := range doubts {
		older = append(older, pairs[i])
		for _, p := range alternatives(pairs[i][0]) {
			single, of = append(single, [2]string{p, pairs[i][1]}), append(of, i)
		}
	}
	joined := map[int]string{}
	for k, answer := range judge(t, single) {
		if joined[of[k]] == "" || answer != "0" {
			joined[of[k]] = answer
		}
	}
	confirmed := map[int]bool{}
	for k, answer := range judge(t, older, "older") {
		i := doubts[k]
		confirmed[i] = answer == ours[i] || joined[i] == ours[i]
	}
	return confirmed
}

// TestDocumentedOdditiesAreEventRulers holds the examples of the package comment against event-ruler.
func TestDocumentedOdditiesAreEventRulers(t *testing.T) {
	var pairs [][2]string
	for _, o := range oddities {
		pairs = append(pairs, [2]string{`{"data":{"x":` + o.pattern + `}}`, `{"data":` + o.data + `}`})
	}
	for i, theirs := range judge(t, pairs) {
		if got := theirs == "1"; got != oddities[i].match {
			t.Errorf("event-ruler: %s on %s = %s", pairs[i][0], pairs[i][1], theirs)
		}
	}
}

// TestRefusedPatternsAreAsDocumented shows which patterns we refuse although event-ruler takes them, and that we
// take none that it refuses.
func TestRefusedPatternsAreAsDocumented(t *testing.T) {
	var pairs [][2]string
	for _, tt := range refusals {
		pairs = append(pairs, [2]string{tt.pattern, `{"data":{"x":1}}`})
	}
	for i, theirs := range judge(t, pairs) {
		if got := !strings.HasPrefix(theirs, "E"); got != refusals[i].ruler {
			t.Errorf("event-ruler takes %s: %v, want %v (%s)", refusals[i].pattern, got, refusals[i].ruler, theirs)
		}
	}
}

// TestLettersFoldAsInEventRuler compares how every character with a case is met ignoring case. Left out are those
// that got their case in Unicode 14, which Java 17 does not know.
func TestLettersFoldAsInEventRuler(t *testing.T) {
	testserver.Require(t, "POSTINO_RULER_CLASSPATH")
	const unicode14 = "ⰯⱟꟀꟁꟐꟑꟖꟗꟘꟙ"
	var pairs [][2]string
	var answers []string
	for r := rune(1); r <= 0xFFFF; r++ {
		lower, upper := caseForms(r)
		if lower == upper || strings.ContainsRune(unicode14, r) {
			continue
		}
		for _, s := range []string{lower, upper, string(r)} {
			p := `{"data":[{"equals-ignore-case":"` + string(r) + `"}]}`
			env := Envelope{Data: []byte(`"` + s + `"`)}
			pairs = append(pairs, [2]string{p, env.json()})
			answers = append(answers, ours(t, p, env))
		}
	}
	for i, theirs := range judge(t, pairs) {
		if answers[i] != theirs {
			t.Errorf("%s on %s: ours %s, event-ruler %s", pairs[i][0], pairs[i][1], answers[i], theirs)
		}
	}
}
