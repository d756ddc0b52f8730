package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postino/postino/shared/stage/manage"
)

// TestEveryRouteHasAPathThroughTheFunctions holds the stories, each of which is
// played through the built functions on DynamoDB and SQS, to the whole API:
// every route is called, and does what it is for.
func TestEveryRouteHasAPathThroughTheFunctions(t *testing.T) {
	mux, taken := http.NewServeMux(), map[string]bool{}
	routes := manage.Routes()
	for _, route := range routes {
		mux.Handle(route, http.NotFoundHandler())
	}
	for name, s := range stories(t) {
		for i, st := range s.Steps {
			if st.Call == "" {
				continue
			}
			method, path, _ := strings.Cut(st.Call, " ")
			r, err := http.NewRequest(method, strings.ReplaceAll(path, "$", "x"), nil)
			if err != nil {
				t.Fatalf("%s, step %d: %v", name, i+1, err)
			}
			if _, route := mux.Handler(r); route != "" && st.Status/100 == 2 {
				taken[route] = true
			}
		}
	}
	for _, route := range routes {
		if !taken[route] {
			t.Errorf("no story has %s do what it is for", route)
		}
	}
}
