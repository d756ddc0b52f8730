package recipes_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/cmd/postino/recipes"
)

var update = flag.Bool("update", false, "write docs/recipes.md anew")

const page = "../../../docs/recipes.md"

// TestThePageTellsWhatTheFilesSay holds docs/recipes.md to the recipes. The
// part before the first recipe is written by hand.
func TestThePageTellsWhatTheFilesSay(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	intro, _, found := strings.Cut(string(text), mark)
	if !found {
		t.Fatalf("%s has no line %q", page, mark)
	}
	want := intro + mark + list(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("docs/recipes.md differs (-want +got); go test ./cmd/postino/recipes -run Page -update writes it:\n%s", diff)
	}
}

const mark = "<!-- from here on made of events/recipes: go test ./cmd/postino/recipes -run Page -update -->\n"

// list is the part of the page that is made.
func list(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	var all []recipes.Recipe
	for _, name := range recipes.Names() {
		r, err := recipes.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	b.WriteString("\n| recipe | |\n|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", r.Name, r.Name, r.Title)
	}
	for _, r := range all {
		describe(&b, r)
	}
	return b.String()
}

// shown is how many subscriptions of a recipe the page shows: the seven study
// modes differ in a word.
const shown = 3

func describe(b *strings.Builder, r recipes.Recipe) {
	fmt.Fprintf(b, "\n## %s\n\n**%s.** %s\n", r.Name, r.Title, r.About)
	for i, c := range r.Setup {
		if i == 0 {
			b.WriteString("\nSet up first:\n\n")
		}
		fmt.Fprintf(b, "- `%s` with `%s`\n", c.Call, recipes.Compact(c.Body))
	}
	subscriptions := r.Subscriptions
	if len(subscriptions) > shown {
		fmt.Fprintf(b, "\nThis is the first of %d subscriptions; the others are in [events/recipes/%s.json](../events/recipes/%s.json).\n",
			len(subscriptions), r.Name, r.Name)
		subscriptions = subscriptions[:1]
	}
	for _, s := range subscriptions {
		fmt.Fprintf(b, "\n```json\n%s\n```\n", dedent(s))
	}
	if q := firstRequest(r); q != nil {
		fmt.Fprintf(b, "\nWhat arrives, for instance:\n\n```http\n%s```\n", wire(*q))
	}
	b.WriteString("\nWhat to change:\n\n")
	for _, c := range r.Change {
		fmt.Fprintf(b, "- %s\n", field.ReplaceAllString(c, "`$1`:"))
	}
	names := slices.Sorted(maps.Keys(r.Secrets))
	if len(names) == 0 {
		fmt.Fprintf(b, "\nSee it: `go run ./cmd/postino demo %s`\n", r.Name)
		return
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("`%s`", name)
	}
	fmt.Fprintf(b, "\nSecrets to set first: %s. See it: `go run ./cmd/postino demo %s`\n", strings.Join(names, ", "), r.Name)
}

// field is what a sentence about a change begins with.
var field = regexp.MustCompile(`^(\S+):`)

// dedent takes the indentation of the file from a value's later lines.
func dedent(s json.RawMessage) string {
	return strings.ReplaceAll(string(s), "\n    ", "\n")
}

func firstRequest(r recipes.Recipe) *recipes.Request {
	for _, s := range r.Story {
		if len(s.Requests) > 0 {
			return &s.Requests[0]
		}
	}
	return nil
}

// wire shows a request as it is promised, credentials in plain text since they
// are for show.
func wire(q recipes.Request) string {
	method := q.Method
	if method == "" {
		method = "POST"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", method, q.URL)
	for _, name := range slices.Sorted(maps.Keys(q.Headers)) {
		fmt.Fprintf(&b, "%s: %s\n", name, q.Headers[name])
	}
	body := string(q.Body)
	var raw string
	var compact bytes.Buffer
	if json.Unmarshal(q.Body, &raw) == nil {
		body = raw
	} else if json.Compact(&compact, q.Body) == nil {
		body = compact.String()
	}
	fmt.Fprintf(&b, "\n%s\n", body)
	return strings.NewReplacer("$delivery", "dlv_…", "$uuid", "84c0ae33-cd8f-5219-a235-1b42d813e36b", "$start", "2026-03-01T12:00:00Z").Replace(b.String())
}
