// Package docs contains the documentation. Its tests compare the documentation
// with the code.
package docs

import (
	"encoding/json"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

const root = ".."

// pages are all Markdown files of the repository, by their path from root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, root+"/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// localRoutes are those that only local mode has.
var localRoutes = []string{"GET /metrics", "POST /v1/clock"}

func TestEveryRouteIsDocumentedAndNoOther(t *testing.T) {
	text := pages(t)["docs/api.md"]
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^### `([A-Z]+ /[^`]*)`$").FindAllStringSubmatch(text, -1) {
		documented = append(documented, m[1])
	}
	routes := slices.Clone(localRoutes)
	for _, route := range manage.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if short := strings.TrimPrefix(path, "/v1/tenants/{tenant}"); short != "" {
			path = short
		}
		routes = append(routes, method+" "+path)
	}
	for _, route := range routes {
		if !slices.Contains(documented, route) {
			t.Errorf("docs/api.md has no heading for `%s`", route)
		}
	}
	for _, route := range documented {
		if !slices.Contains(routes, route) {
			t.Errorf("docs/api.md tells of `%s`, which is not served", route)
		}
	}
}

var (
	marked = regexp.MustCompile("(?s)<!-- subscription -->\n```json\n(.*?)```")
	guard  = &egress.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
)

func TestSubscriptionsInDocsAreTaken(t *testing.T) {
	n := 0
	for name, text := range pages(t) {
		for _, m := range marked.FindAllStringSubmatch(text, -1) {
			n++
			if _, err := read(m[1]); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, m[1])
			}
		}
		if blocks := strings.Count(text, "<!-- subscription -->"); blocks != len(marked.FindAllString(text, -1)) {
			t.Errorf("%s: not every mark stands before a block of json", name)
		}
	}
	if n < 5 {
		t.Errorf("%d subscriptions in the docs, want some", n)
	}
}

func read(text string) (subscription.Wish, error) {
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		return subscription.Wish{}, err
	}
	return subscription.Read(v, subscription.Default(), guard)
}

// rows returns the code cells of the table behind a mark.
func rows(t *testing.T, page, mark string) (table [][]string) {
	t.Helper()
	_, text, found := strings.Cut(pages(t)[page], mark+"\n")
	if !found {
		t.Fatalf("%s has no %s", page, mark)
	}
	text, _, _ = strings.Cut(text, "\n\n")
	for _, line := range strings.Split(text, "\n")[2:] {
		var cells []string
		for _, m := range regexp.MustCompile("\\| `([^`]*)` ").FindAllStringSubmatch(line, -1) {
			cells = append(cells, strings.ReplaceAll(m[1], `\|`, "|"))
		}
		if len(cells) != 3 {
			t.Fatalf("%s: want three cells in %s", page, line)
		}
		table = append(table, cells)
	}
	return table
}

func TestFiltersDoWhatTheTableSays(t *testing.T) {
	for _, row := range rows(t, "docs/filters.md", "<!-- filter table -->") {
		p, err := pattern.Compile([]byte(`{"data":`+row[0]+`}`), "filter")
		if err != nil {
			t.Errorf("%s: %v", row[0], err)
			continue
		}
		for i, want := range []bool{true, false} {
			e, err := pattern.Decode(pattern.Envelope{ID: "1", Source: "/s", Type: "t", Time: "2026-03-01T12:00:00Z", Data: []byte(row[i+1])})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(e); got != want {
				t.Errorf("%s on %s = %v, want %v", row[0], row[i+1], got, want)
			}
		}
	}
}

func TestTemplatesRenderWhatTheTableSays(t *testing.T) {
	for _, row := range rows(t, "docs/templates.md", "<!-- template table -->") {
		quoted, err := json.Marshal(row[0])
		if err != nil {
			t.Fatal(err)
		}
		s := webhook.Subscription{URL: "https://x.example/", Request: &webhook.RequestSpec{Body: []byte(`{"v":` + string(quoted) + `}`)}}
		request, faults := render.Compile(s)
		if len(faults) > 0 {
			t.Errorf("%s: %v", row[0], faults)
			continue
		}
		e := render.NewEvent(webhook.Event{ID: "1", Type: "t", AcceptedAt: time.Unix(0, 0), Data: []byte(row[1])})
		_, content, err := request.Render(e, s, render.Occasion{Delivery: "dlv_x"})
		if err != nil || content.Body.Plain != row[2] {
			t.Errorf("%s of %s = %s, %v, want %s", row[0], row[1], content.Body.Plain, err, row[2])
		}
	}
}
