package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryRowOfWhatIsSharedNamesItsTest; that it exists, TestTestsThatAreNamedExist
// holds.
func TestEveryRowOfWhatIsSharedNamesItsTest(t *testing.T) {
	named := regexp.MustCompile("`Test[A-Z]\\w+`[^|]*\\|$")
	count := 0
	for line := range strings.SplitSeq(pages(t)["docs/sharing.md"], "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| test |") {
			continue
		}
		count++
		if !named.MatchString(line) {
			t.Errorf("docs/sharing.md: no test is named at the end of %s", line)
		}
	}
	if count < 30 {
		t.Errorf("docs/sharing.md has %d rows, want all that is shared", count)
	}
}

// own begins what says why something that many callers change is no row: nobody
// can take any of it from another.
const own = "own: "

// shared tells of each type that many callers change together, and so has a lock,
// a cache or a pool, the beginning of its row in docs/sharing.md, or why it has none.
var shared = map[string]string{
	"httpapi.Intake": "| requests in progress", "httpapi.refusals": "| log, at", "server.connections": "| connections | 4,096",
	"oauth.Tokens": "| access tokens", "breaker.Counter": "| attempts counted", "pace.Pacer": "| reserved turns", "egress.Pool": "| HTTP clients", "egress.kept": "| connections to subscribers",
	"delivery.lines": "| audits of waiting lines", "delivery.strains": "| tenants in trouble", "courier.Subscribers": "| subscriptions prepared",
	"fanout.audiences": "| types and filters", "fanout.audience": "| types and filters", "fanout.versions": "| versions of subscriptions",
	"schema.Cache": "| schemas of event types", "manage.trials": "| tests of subscriptions", "bell.Bells": "| pulls that wait", "ingest.known": "| tenants that are known",
	"ingest.recent": "| event ids", "stats.Recorder": "| statistics of an hour", "results.Recorder": "| results of an hour", "metric.Registry": "| metrics", "metric.Embedded": "| metrics",
	"localqueue.Set": "| memory for waiting", "engine.DB": "| the data's only writer", "record.recent": "| subscription heads",
	"manage.recentOrigins": "| Origins of portals read in",
	"noun.recentKeys":      "| API keys read in",
	"noun.recentTypes":     "| event types read before",
	"engine.syncer":        own + "all wait for the same sync of the disk",
	"engine.writeLog":      own + "it is the whole log",
	"engine.patience":      own + "all wait for the same disk",
	"record.pass":          own + "one goroutine works through all tenants",
	"record.written":       own + "it holds ids of all tenants in turn, and what it forgets is one read",
	"ingest.Limit":         own + "it counts what docs/sharing.md calls waiting messages",
	"manage.readVersions":  own + "of one answer",
	"manage.looked":        own + "one answer for all",
	"outbox.Outbox":        own + "of one batch", "fanout.view": own + "of one batch", "fanout.groups": own + "of one batch",
	"crowd.Crowds":       own + "who waits is of one key of a trigger, and of other keys it only holds hints",
	"server.certificate": own + "one for all clients",
	"delivery.gathering": own + "it holds the first attempts that workers make now, and their groups are of one subscription",
	"egress.shot":        own + "of one request",
	"pattern.Index":      own + "of one tenant's audience", "weighed.Cache": own + "its users have the rows",
	"server.Clock": own + "a test clock's", "server.Server": own + "a test clock's",
	"table.Memory": own + "for tests", "fetch.Value": own + "a key that all use",
	"signature.macs": own + "of one key; pools hold what nobody uses now",
	"cosign.signer":  own + "of one key; pools hold what nobody uses now",
}

// TestWhatIsSharedHasARow finds the types whose fields are locks, caches, pools or
// maps for many callers.
func TestWhatIsSharedHasARow(t *testing.T) {
	page := pages(t)["docs/sharing.md"]
	for name, row := range shared {
		if !strings.HasPrefix(row, own) && !strings.Contains(page, "\n"+row) {
			t.Errorf("docs/sharing.md has no row that begins with %q, for %s", row, name)
		}
	}
	found := sharedTypes(t)
	for name := range found {
		if shared[name] == "" {
			t.Errorf("%s is changed by many callers: say in docs/sharing.md how much of it one tenant can use, and name the row here", name)
		}
	}
	for name := range shared {
		if !found[name] {
			t.Errorf("%s is shared no more, or has another name", name)
		}
	}
}

// sharedTypes are those of all that runs.
func sharedTypes(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, folder := range []string{"shared", "cmd/postino/server", "functions"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok && isShared(spec) {
					found[file.Name.Name+"."+spec.Name.Name] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// forMany are the packages whose types many callers use at once, with those of
// them that say nothing.
var forMany = map[string]string{"sync": "Once WaitGroup", "weighed": "", "lru": "", "singleflight": "", "semaphore": "", "rate": ""}

// isShared reports whether a field of the struct is for many callers.
func isShared(spec *ast.TypeSpec) (found bool) {
	fields, ok := spec.Type.(*ast.StructType)
	if !ok {
		return false
	}
	ast.Inspect(fields, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok {
				nothing, known := forMany[pkg.Name]
				found = found || known && !strings.Contains(" "+nothing+" ", " "+s.Sel.Name+" ")
			}
		}
		return true
	})
	return found
}
