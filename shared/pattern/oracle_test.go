package pattern

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// judge asks event-ruler about pairs of rules and events. It is told where the jars are by POSTINO_RULER_CLASSPATH.
func judge(t *testing.T, pairs [][2]string) []string {
	t.Helper()
	classpath := os.Getenv("POSTINO_RULER_CLASSPATH")
	if classpath == "" {
		t.Skip("POSTINO_RULER_CLASSPATH does not name the jars of event-ruler; make test sets it")
	}
	var in, out, stderr bytes.Buffer
	for _, pair := range pairs {
		in.WriteString(pair[0] + "\n" + pair[1] + "\n")
	}
	java := exec.CommandContext(t.Context(), "java", "-Xmx512m", "-cp", classpath, "oracle/Oracle.java")
	java.Stdin, java.Stdout, java.Stderr = &in, &out, &stderr
	if err := java.Run(); err != nil {
		t.Fatalf("oracle: %v\n%s", err, stderr.String())
	}
	answers := make([]string, 0, len(pairs))
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		answers = append(answers, lines.Text())
	}
	if len(answers) != len(pairs) {
		t.Fatalf("oracle answered %d of %d pairs\n%s", len(answers), len(pairs), stderr.String())
	}
	return answers
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
		t.Fatalf("Decode(%s): %v", env.json(), err)
	}
	if p.Match(e) {
		return "1"
	}
	return "0"
}

// TestRandomPairsAgreeWithEventRuler compares POSTINO_RULER_PAIRS (100,000) accepted patterns, random from
// POSTINO_RULER_SEED (1), with event-ruler. Patterns that we refuse are not counted.
func TestRandomPairsAgreeWithEventRuler(t *testing.T) {
	want := int(setting(t, "POSTINO_RULER_PAIRS", 100_000))
	g := newGenerator(setting(t, "POSTINO_RULER_SEED", 1))
	var pairs [][2]string
	var answers []string
	refused := 0
	for len(pairs) < want {
		p, env := g.pair()
		answer := ours(t, p, env)
		if answer[0] == 'E' {
			refused++
			continue
		}
		pairs = append(pairs, [2]string{p, env.json()})
		answers = append(answers, answer)
	}
	theirs := judge(t, pairs)
	doubts := map[int]string{} // what event-ruler says otherwise, where it differs
	for i := range pairs {
		if answers[i] != theirs[i] {
			doubts[i] = ""
		}
	}
	otherwise(t, pairs, theirs, doubts)
	differences := 0
	for i, answer := range doubts {
		if !strings.Contains(answer, answers[i]) {
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
	t.Logf("%d pairs compared, %d matched, %d differences; event-ruler contradicted itself %d times; %d patterns refused by us",
		len(pairs), matched, differences, len(doubts)-differences, refused)
}

// otherwise fills in what event-ruler answers, when asked in another way, to the pairs that are keys of doubts:
//
//   - both answers, where its two matchers disagree: the newer one loses values outside an array when an event
//     spells one path twice, {"a.b": 1, "a": [{"b": 2}]};
//   - else its answers to the alternatives of the pattern one by one, joined: a few lists make its automaton lose or
//     invent a match, such as ["a", {"numeric": [">", -1, "<", 1]}, {"wildcard": "*b"}] on "a".
func otherwise(t *testing.T, pairs [][2]string, theirs []string, doubts map[int]string) {
	t.Helper()
	var single [][2]string
	var of []int
	for i := range doubts {
		if theirs[i] == "0/1" || theirs[i] == "1/0" {
			doubts[i] = theirs[i]
			continue
		}
		for _, p := range alternatives(pairs[i][0]) {
			single, of = append(single, [2]string{p, pairs[i][1]}), append(of, i)
			doubts[i] = "0"
		}
	}
	if len(single) == 0 {
		return
	}
	for k, answer := range judge(t, single) {
		if answer != "0" {
			doubts[of[k]] = answer
		}
	}
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
